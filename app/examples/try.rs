use app::{App, caller_view::Viewer, layout::assets, preferences, shell};
use axum::{Form, Router, http::{HeaderMap, StatusCode, header}, response::{IntoResponse, Redirect}, routing::post};
use leptos::prelude::*;
use leptos_axum::{LeptosRoutes, generate_route_list};
use tower_http::services::ServeDir;

async fn prefer(Form(form): Form<std::collections::HashMap<String, String>>) -> impl IntoResponse {
    let mut headers = HeaderMap::new();
    for name in ["language", "theme"] { if let Some(v) = form.get(name) { headers.append(header::SET_COOKIE, preferences::set_cookie(name, v).parse().unwrap()); } }
    (headers, Redirect::to(preferences::safe_back(form.get("back").map_or("/", String::as_str))))
}
#[tokio::main]
async fn main() {
    assets::install(assets::Assets::parse(&std::fs::read_to_string("target/site/assets.txt").unwrap()));
    let options = LeptosOptions::builder().output_name("lectern").site_root("target/site").build();
    let role = std::env::args().nth(1).unwrap_or("operator".into());
    let viewer = move || provide_context(Viewer { user_id: "1".into(), login: "wang".into(), name: "王老师".into(), roles: vec![role.clone()], tenant_name: "信息工程学院".into(), simulated_cluster: true, cluster_away_since: None, pending_approvals: 3 });
    let v2 = viewer.clone();
    let routes = generate_route_list(App);
    let o = options.clone();
    let app = Router::new().route("/preferences", post(prefer)).route("/sign-out", post(|| async { StatusCode::OK }))
        .route("/api/{*path}", axum::routing::any(move |r: axum::extract::Request| { let v = viewer.clone(); async move { leptos_axum::handle_server_fns_with_context(v, r).await } }))
        .leptos_routes_with_context(&options, routes, v2, move || shell(o.clone()))
        .fallback_service(ServeDir::new("target/site").precompressed_br().fallback(tower::service_fn({let options=options.clone(); move |r| { let options = options.clone(); async move { Ok(leptos_axum::render_app_to_stream_with_context(|| provide_context(Viewer::default()), move || shell(options.clone()))(r).await) } }})))
        .with_state(options);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3999").await.unwrap();
    axum::serve(listener, app).await.unwrap();
}
