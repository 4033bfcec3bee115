//! How to reach a lab over SSH, on the page of a lab that is there for it.

use domain::{
    catalogue::Workload,
    labs::{LabState, LabView},
};
use leptos::prelude::*;

use crate::{
    components::{Card, CopyField},
    i18n::td_string,
    language,
};

/// The command for this reader: `ssh lab-2047.lectern`. `None` for other labs, and while it cannot be reached.
pub fn ssh_command(view: &LabView) -> Option<String> {
    let is_reached = view.may_enter && view.site.is_some() && view.lab.state == LabState::Running;
    (is_reached && view.lab.spec.workload == Workload::Shell).then(|| format!("ssh {}.lectern", view.lab.name))
}

#[component]
pub fn SshCard(command: String) -> impl IntoView {
    let language = language::current();
    view! {
        <Card title=td_string!(language, open.ssh)>
            <div class="stack tight">
                <CopyField label=td_string!(language, open.ssh) text=command/>
                <p class="soft">{td_string!(language, open.ssh_text)}" "{td_string!(language, open.ssh_key)}</p>
            </div>
        </Card>
    }
    .into_any()
}
