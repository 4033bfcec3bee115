//! The log of a lab's containers, as text.

use axum::{
    Extension,
    extract::{Path, State},
    response::Response,
};
use domain::ids::LabId;
use services::labs::LogAsk;

use super::{
    bearer::{Bearer, OfToken},
    orders::id,
    problem::Problem,
    query::Parameters,
};
use crate::{
    lab_logs::{answer, tail},
    reading::Reader,
    state::AppState,
};

/// What a container of the lab wrote.
///
/// With `follow` the answer goes on with what is written from now on, until the token ends or its owner may not read it any more. Before the
/// container has started there is nothing to follow: the answer is 409, so ask again every few seconds until the lab is `running`.
///
/// A pod's log is gone with the pod, when the lab is stopped or restarted. Of a job the end of each try's log is kept for 90 days, or until
/// the lab is destroyed: the lab's `kept_logs` name the pods, and the header `lectern-kept-at` tells that an answer is such a log.
#[utoipa::path(get, path = "/api/v1/labs/{id}/logs", tag = "labs",
    params(("id" = String, Path), ("member" = Option<String>, Query, description = "Name of a pod of the lab; the first one if left out, of a job that of its newest try", example = "lab-2047-0"),
        ("container" = Option<String>, Query, description = "A container of the pod, which may be an init container; the first one if left out", example = "main"),
        ("previous" = Option<bool>, Query, description = "Of the container's run before this one; of a job, of the try before"),
        ("tail" = Option<String>, Query, description = "How many of the last lines, or `all`: 200 if left out", example = "1000"),
        ("follow" = Option<bool>, Query, description = "Goes on with new lines")),
    responses((status = 200, body = String, description = "The log, as it is read", content_type = "text/plain"),
        (status = 409, description = "`invalid_transition`: the container has not started yet, or its pod is gone and its log was not kept"),
        (status = 503, description = "`unavailable`: the cluster does not answer")))]
pub async fn show(
    State(state): State<AppState>,
    Bearer(caller): Bearer,
    Extension(OfToken(token)): Extension<OfToken>,
    Path(text): Path<String>,
    mut query: Parameters,
) -> Result<Response, Problem> {
    let mut ask = LogAsk {
        member: query.text("member"),
        container: query.text("container"),
        previous: query.flag("previous"),
        tail: None,
        follow: query.flag("follow"),
    };
    let lines = query.text("tail");
    query.finish()?;
    ask.tail = tail(lines.as_deref().unwrap_or("200"))?;
    // Before the log: what ends while the cluster is asked is heard too.
    let reader = Reader::of_token(&state.services, &caller, token);
    let log = services::labs::logs(&state.services, &caller, id::<LabId>(&text)?, &ask).await?;
    Ok(answer(&state, log, reader, ask.follow, false))
}
