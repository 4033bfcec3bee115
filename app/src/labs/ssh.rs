//! How to reach a lab over SSH, on the page of a lab that is there for it.

use domain::{
    catalogue::Workload,
    labs::{LabDetail, LabState},
    ssh_keys::{KeysProblem, USER},
};
use leptos::prelude::*;

use crate::{
    account::ssh_steps::{SshSteps, connect_command},
    caller_view::use_viewer,
    components::{Card, CopyField, Notice, NoticeKind},
    i18n::td_string,
    language,
};

/// The command for this reader, `ssh lab-2047.lectern`, and whether the keys are in the lab. `None` for other labs, and while it cannot be
/// reached.
pub fn ssh_way(detail: &LabDetail) -> Option<(String, Option<KeysProblem>)> {
    let view = &detail.view;
    let is_reached = view.may_enter && view.site.is_some() && view.lab.state == LabState::Running;
    let is_shell = view.lab.spec.workload == Workload::Shell;
    let user = detail.ssh_user.as_deref().unwrap_or(USER);
    (is_reached && is_shell).then(|| (connect_command(user, &view.lab.name), detail.keys_problem))
}

#[component]
pub fn SshCard(command: String, problem: Option<KeysProblem>) -> impl IntoView {
    let language = language::current();
    let keys = match problem {
        Some(KeysProblem::NoFile) => td_string!(language, open.ssh_key_of_order),
        None | Some(KeysProblem::NotWritten) => td_string!(language, open.ssh_key),
    };
    let failed = problem == Some(KeysProblem::NotWritten);
    let viewer = use_viewer();
    let connect = StoredValue::new(command.clone());
    view! {
        <Card title=td_string!(language, open.ssh)>
            <div class="stack tight">
                <CopyField label=td_string!(language, open.ssh) text=command/>
                <p class="soft">{td_string!(language, open.ssh_text)}" "{keys}</p>
                <Suspense>
                    {move || Suspend::new(async move {
                        viewer.loaded().await.map(|person| view! {
                            <SshSteps portal=person.portal_url user=person.ssh_user connect=connect.get_value()/>
                        })
                    })}
                </Suspense>
                {failed.then(|| view! {
                    <Notice kind=NoticeKind::Warn title=td_string!(language, open.ssh_failed)>{td_string!(language, open.ssh_failed_text)}</Notice>
                })}
            </div>
        </Card>
    }
    .into_any()
}
