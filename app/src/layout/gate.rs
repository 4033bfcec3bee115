//! The frame of the pages before sign-in: the board on one side, the desk on the other.

use leptos::prelude::*;

use super::preference_forms::{LanguageSwitch, ThemeSwitch};
use crate::{
    components::{Glyph, Icon},
    i18n::td_string,
    language,
};

/// Children are the form. `foot` is small print below it.
#[component]
pub fn Gate(#[prop(into, optional)] foot: Option<String>, children: Children) -> impl IntoView {
    let language = language::current();
    view! {
        <div class="gate">
            <div class="side">
                <p class="brand"><Icon glyph=Glyph::Brand/>{td_string!(language, layout.product)}</p>
                <div class="say">
                    <p>{td_string!(language, layout.ready_before_the_bell)}</p>
                    <p>{td_string!(language, layout.product_in_a_sentence)}</p>
                </div>
            </div>
            <div class="desk">
                <div class="tools"><LanguageSwitch class="tool"/><ThemeSwitch/></div>
                <div class="first">{children()}</div>
                {foot.map(|foot| view! { <p class="fine">{foot}</p> })}
            </div>
        </div>
    }
    .into_any()
}
