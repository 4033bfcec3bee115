//! The lab does not run, or its application does not answer.

use std::sync::atomic::Ordering;

use domain::labs::{
    LabState,
    start::{StartStep, StepTime},
};
use services::visits::Waiting;

use crate::{
    app::App,
    fixtures::{NOW, Site, until},
};

const PAGE: [(&str, &str); 2] = [("sec-fetch-mode", "navigate"), ("accept-language", "en")];

#[tokio::test]
async fn people_wait_on_a_page_and_programs_are_told_to_come_again() {
    let (app, address) = App::start().await;
    let site = Site::before(address).await;
    site.world.pass.close(LabState::Stopped);
    let page = site.use_lab("GET /lab", &PAGE, "").await;
    assert_eq!((page.status(), page.header("retry-after"), page.header("x-frame-options")), (503, Some("5"), Some("DENY")));
    let policy = page.header("content-security-policy").unwrap_or_default();
    assert!(policy.contains("script-src 'nonce-n0nce'") && policy.starts_with("default-src 'none'"), "{policy}");
    for shown in [
        "lab-7 &lt;b&gt;",
        "Stopped",
        "data-state=\"stopped\"",
        "/labs/00000000-0000-0000-0000-000000000007\" target=\"_blank\" rel=\"noopener\"",
        "/.lectern/status",
    ] {
        assert!(page.body().contains(shown), "{shown}: {page:?}");
    }
    let chinese = site.use_lab("GET /lab", &[("sec-fetch-mode", "navigate")], "").await;
    assert!(chinese.body().contains("lang=\"zh-CN\"") && chinese.body().contains("已停止"), "{chinese:?}");
    for (line, headers) in [
        ("GET /api/kernels?1", &[("accept", "*/*")][..]),
        ("POST /api/contents", &[("accept", "application/json")][..]),
        ("GET /api/terminals", &[("accept", "text/html"), ("sec-fetch-mode", "cors")][..]),
    ] {
        let answer = site.use_lab(line, headers, "").await;
        assert_eq!(
            (answer.status(), answer.header("content-type"), answer.header("retry-after")),
            (503, Some("application/json"), Some("5")),
            "{line}"
        );
        assert!(answer.body().contains(r#""state":"stopped""#) && answer.header("location").is_none(), "{answer:?}");
    }
    let head = site.use_lab("HEAD /lab", &[], "").await;
    assert_eq!((head.status(), head.body()), (503, ""));
    assert_eq!((app.requests.load(Ordering::SeqCst), site.world.named.load(Ordering::SeqCst)), (0, 0));
    assert_eq!(site.world.waited.load(Ordering::SeqCst), 2, "once for each page, never for a program");
    assert_eq!(site.world.pass.bytes_out.load(Ordering::SeqCst), 0, "waiting is no use");
}

#[tokio::test]
async fn the_waiting_page_learns_when_the_lab_is_ready() {
    let site = Site::before(App::start().await.1).await;
    site.world.pass.close(LabState::Starting);
    assert_eq!(site.use_lab("GET /.lectern/status", &[], "").await.body(), r#"{"state":"starting","ready":false}"#);
    *site.world.pass.state.lock().unwrap() = LabState::Running;
    assert_eq!(site.use_lab("GET /.lectern/status", &[], "").await.body(), r#"{"state":"running","ready":false}"#);
    site.world.pass.serve_by("pod-1");
    assert_eq!(site.use_lab("GET /.lectern/status", &[], "").await.body(), r#"{"state":"running","ready":true}"#);
    assert_eq!(site.use_lab("POST /.lectern/status", &[], "").await.status(), 405);
    let stranger = site.ask("GET /.lectern/status", &PAGE, "").await;
    assert_eq!((stranger.status(), stranger.header("content-type")), (401, Some("application/json")));
}

fn step(step: StartStep, from: Option<i64>, until: Option<i64>, usual_seconds: Option<u32>) -> StepTime {
    let at = |ago: i64| NOW.plus_seconds(-ago);
    StepTime { step, from: from.map(at), until: until.map(at), usual_seconds }
}

#[tokio::test]
async fn the_waiting_page_shows_the_steps_of_the_start_and_follows_them() {
    let site = Site::before(App::start().await.1).await;
    site.world.pass.close(LabState::Starting);
    let steps = vec![
        step(StartStep::Approval, Some(100), Some(90), None),
        step(StartStep::Pull, Some(42), None, Some(30)),
        step(StartStep::Ready, None, None, Some(9)),
    ];
    *site.world.waiting.lock().unwrap() = Waiting { since: Some(NOW), steps, ..Waiting::default() };
    let page = site.use_lab("GET /lab", &PAGE, "").await;
    for shown in
        ["data-mark=\"done\"", "42 s · usually 30 s", "not begun · usually 9 s", "aria-current=\"step\"", "role=\"status\">Pulling the image<"]
    {
        assert!(page.body().contains(shown), "{shown}: {page:?}");
    }
    let status = site.use_lab("GET /.lectern/status", &[("accept-language", "zh-CN")], "").await;
    let status: serde_json::Value = serde_json::from_str(status.body()).unwrap();
    assert_eq!((&status["steps"][1]["mark"], &status["steps"][1]["name"]), (&"now".into(), &"拉取镜像".into()), "{status}");
}

#[tokio::test]
async fn a_lab_whose_time_is_over_is_extended_and_one_that_failed_says_why() {
    let site = Site::before(App::start().await.1).await;
    site.world.pass.close(LabState::Stopped);
    site.world.waiting.lock().unwrap().ends_at = Some(NOW);
    let over = site.use_lab("GET /lab", &PAGE, "").await;
    assert_eq!(over.status(), 503);
    assert!(
        over.body().contains("The time of the lab is over") && over.body().contains("#extend\" target=\"_blank\" rel=\"noopener\">Extend it</a>"),
        "{over:?}"
    );
    site.world.waiting.lock().unwrap().ends_at = Some(NOW.plus_seconds(1));
    assert!(site.use_lab("GET /lab", &PAGE, "").await.body().contains(">Start it</a>"));
    site.world.pass.close(LabState::Failed);
    site.world.waiting.lock().unwrap().failure = Some("ErrImagePull".to_owned());
    let failed = site.use_lab("GET /lab", &PAGE, "").await;
    assert!(failed.body().contains("the image cannot be pulled") && failed.body().contains(">See the reason</a>"), "{failed:?}");
    assert!(failed.body().contains("Its files are kept"), "{failed:?}");
    site.world.waiting.lock().unwrap().failure = Some("VolumeLost".to_owned());
    let lost = site.use_lab("GET /lab", &PAGE, "").await;
    assert!(lost.body().contains("its files are gone") && !lost.body().contains("Its files are kept"), "{lost:?}");
    site.world.pass.guest.store(true, Ordering::SeqCst);
    let guest = site.use_lab("GET /lab", &PAGE, "").await;
    assert!(guest.body().contains("Its owner starts it") && !guest.body().contains("/labs/00000000"), "{guest:?}");
}

#[tokio::test]
async fn the_end_of_a_link_is_told_to_those_who_came_by_it_alone() {
    let site = Site::before(App::start().await.1).await;
    site.world.pass.ended.cancel();
    *site.world.ended_link.lock().unwrap() = Some("Li <Hua>".to_owned());
    let page = site.use_lab("GET /lab", &PAGE, "").await;
    assert_eq!(page.status(), 410);
    assert!(page.body().contains("This link has ended") && page.body().contains("Ask Li &lt;Hua&gt; for a new one"), "{page:?}");
    assert!(!page.body().contains("lab-7"), "it names no lab: {page:?}");
    assert_eq!(site.use_lab("GET /api", &[], "").await.status(), 401, "programs ask again and again");
    let stranger = site.ask("GET /lab", &PAGE, "").await;
    assert_eq!(stranger.status(), 303);
}

#[tokio::test]
async fn an_application_that_does_not_listen_is_not_available_yet() {
    let site = Site::before(App::start().await.1).await;
    site.world.pods.lock().unwrap().clear();
    let page = site.use_lab("GET /lab", &PAGE, "").await;
    assert_eq!((page.status(), page.header("retry-after")), (503, Some("5")));
    assert!(page.body().contains("The application in the lab does not answer") && page.body().contains("Try again"), "{page:?}");
    let program = site.use_lab("GET /api", &[], "").await;
    assert_eq!((program.status(), program.header("content-type")), (503, Some("application/json")));
    assert!(program.body().contains(r#""code":"no_answer""#), "{program:?}");
    assert_eq!(site.use_lab("GET /socket", &[("connection", "upgrade"), ("upgrade", "websocket")], "").await.status(), 503);
    assert!(!page.body().contains("<dt>Port</dt>"), "its own port has no number for people: {page:?}");
}

#[tokio::test]
async fn a_request_that_waits_ends_with_the_pod_and_with_the_pass() {
    let (app, address) = App::start().await;
    let site = Site::before(address).await;
    let (waiting, ()) = tokio::join!(site.use_lab("GET /silent", &[], ""), async {
        until(|| app.requests.load(Ordering::SeqCst) == 1).await;
        site.world.pass.close(LabState::Stopping);
    });
    assert_eq!(waiting.status(), 503);
    *site.world.pass.state.lock().unwrap() = LabState::Running;
    site.world.pass.serve_by("pod-1");
    let (waiting, ()) = tokio::join!(site.use_lab("GET /silent", &[], ""), async {
        until(|| app.requests.load(Ordering::SeqCst) == 2).await;
        site.world.pass.ended.cancel();
    });
    assert_eq!(waiting.status(), 401);
    assert_eq!(site.use_lab("GET /", &[], "").await.status(), 401, "the pass is over");
}
