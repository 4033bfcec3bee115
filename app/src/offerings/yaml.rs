//! The offering as a file: to read, to download, and to paste one back.

use leptos::{prelude::*, server_fn::ServerFn};

use super::{
    api::{EditorPage, ImportOffering, Kept},
    fields::Typed,
};
use crate::{
    components::{Button, Card, FieldMessage, FormErrors, TextArea},
    i18n::td_string,
    language, routes,
};

#[component]
pub fn YamlTab(page: EditorPage, slug: String) -> impl IntoView {
    let language = language::current();
    let EditorPage { yaml, pasted, kept, error, fields, .. } = page;
    let file = fields.get("slug").filter(|slug| !slug.is_empty()).cloned().unwrap_or_else(|| "offering".into());
    // What is wrong with a pasted file stands above it: its fields are lines of the text.
    let to_text = |message: FieldMessage| FieldMessage { field: "yaml".into(), ..message };
    let messages: Vec<_> = Typed::new(fields, error.as_ref()).messages(language).into_iter().map(to_text).collect();
    let heading = match kept {
        Kept::Whole => None,
        Kept::WithoutSecrets => Some(td_string!(language, offerings.fix_without_secrets).to_owned()),
        Kept::Nothing => Some(td_string!(language, offerings.yaml_not_kept).to_owned()),
    };
    let download = format!("data:application/yaml;charset=utf-8,{}", routes::encoded(&yaml));
    let has_yaml = !yaml.is_empty();
    view! {
        <div class="stack loose">
            <p class="lead">{td_string!(language, offerings.yaml_lead)}</p>
            <form class="stack" method="post" action=ImportOffering::PATH novalidate=true>
                <input type="hidden" name="slug" value=slug/>
                <FormErrors messages=Signal::stored(messages) nostrip:heading=heading/>
                <TextArea
                    name="yaml"
                    label=td_string!(language, offerings.yaml_paste)
                    help=td_string!(language, offerings.yaml_paste_help)
                    value=pasted
                    secret=true
                    rows=12
                />
                <div class="row"><Button>{td_string!(language, offerings.yaml_save)}</Button></div>
            </form>
            {has_yaml.then(|| view! {
                <Card title=td_string!(language, offerings.yaml_current)>
                    <div class="stack">
                        <p>
                            <a class="btn small" href=download download=format!("{file}.yaml") rel="external">
                                {td_string!(language, offerings.yaml_download)}
                            </a>
                        </p>
                        <pre class="listing" tabindex="0" role="region" aria-label=td_string!(language, offerings.yaml_current)>{yaml}</pre>
                    </div>
                </Card>
            })}
        </div>
    }
    .into_any()
}
