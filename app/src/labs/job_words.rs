//! Jobs in words: the try and the outcome.

use domain::{
    labs::{
        JobOutcome, LabDetail, LabState, LabView,
        job::{is_between_tries, try_number},
    },
    time::Timestamp,
};

use super::words::{end_text, view_text};
use crate::{i18n::td_string, language::Language};

/// How a job ended; `None` for other labs, and while it has not ended.
pub(super) fn outcome_text(language: Language, view: &LabView) -> Option<String> {
    Some(match view.job?.outcome? {
        JobOutcome::Finished => td_string!(language, labs.job_finished).to_owned(),
        JobOutcome::Failed { exit_code: Some(code), .. } => td_string!(language, labs.job_failed_code, code = code).to_string(),
        JobOutcome::Failed { exit_code: None, .. } => td_string!(language, labs.job_failed).to_owned(),
    })
}

/// The state as the lab's own page shows it: a job that is tried again says at which try it is.
pub fn detail_text(language: Language, detail: &LabDetail) -> String {
    let view = &detail.view;
    let text = view_text(language, view);
    let Some(job) = view.job.filter(|job| job.tries > 1) else { return text };
    let (number, tries) = (try_number(&detail.observation.members).min(job.tries), job.tries);
    let state = text.as_str();
    match view.lab.state {
        LabState::Starting if is_again(detail) => {
            // The next pod may not be there yet.
            let number = number.max(failed(detail).saturating_add(1)).min(tries);
            td_string!(language, labs.job_again, number = number, tries = tries).to_string()
        }
        LabState::Running if number > 1 => td_string!(language, labs.job_try, state = state, number = number, tries = tries).to_string(),
        _ => text,
    }
}

/// Whether a try has failed, seen running or not, and the next one is to come.
fn is_again(detail: &LabDetail) -> bool {
    is_between_tries(detail.view.lab.spec.workload, &detail.history) || failed(detail) > 0
}

/// Tries that have failed.
fn failed(detail: &LabDetail) -> u32 {
    let failed = detail.observation.members.iter().filter(|pod| pod.end.as_ref().is_some_and(|end| end.exit_code != 0)).count();
    u32::try_from(failed).unwrap_or(u32::MAX)
}

/// How a job stands, in one sentence; `None` where the words of every lab will do.
pub(super) fn job_lead(language: Language, detail: &LabDetail, now: Timestamp) -> Option<String> {
    let (lab, job) = (&detail.view.lab, detail.view.job?);
    Some(match (job.outcome, lab.state) {
        (Some(JobOutcome::Finished), _) => td_string!(language, labs.lead_job_finished).to_owned(),
        (Some(JobOutcome::Failed { ran: true, .. }), _) => td_string!(language, labs.lead_job_failed).to_owned(),
        (Some(JobOutcome::Failed { ran: false, .. }), _) => td_string!(language, labs.lead_job_failed_free).to_owned(),
        (None, LabState::Starting) if job.tries > 1 && is_again(detail) => td_string!(language, labs.lead_job_again).to_owned(),
        (None, LabState::Running) => td_string!(language, labs.lead_job_running, at = end_text(lab.stops_at()?, now)).to_string(),
        _ => return None,
    })
}
