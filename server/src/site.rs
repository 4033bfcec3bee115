//! The built files. Those under `/pkg` carry their content's hash in the name and are kept for good; brotli is sent to who takes it.

use std::path::Path;

use app::layout::assets::{self, Assets};
use axum::{Router, response::Response};
use http::{HeaderValue, header};
use tower::ServiceBuilder;
use tower_http::services::{ServeDir, ServeFile};

use crate::state::AppState;

const FOR_GOOD: &str = "public, max-age=31536000, immutable";
const AN_HOUR: &str = "public, max-age=3600";

/// Reads the names of the built files. A missing site is said loudly: pages would come without style and scripts.
pub fn install(root: &Path) {
    match std::fs::read_to_string(root.join("assets.txt")) {
        Ok(manifest) => assets::install(Assets::parse(&manifest)),
        Err(error) => tracing::warn!(site = %root.display(), %error, "the built site is missing: `make site` builds it"),
    }
}

pub fn routes(root: &Path) -> Router<AppState> {
    let packages = ServeDir::new(root.join("pkg")).precompressed_br().append_index_html_on_directories(false);
    let kept = |value: &'static str| {
        ServiceBuilder::new().map_response(move |mut response: Response<_>| {
            if response.status().is_success() {
                response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(value));
            }
            response
        })
    };
    let file = |name: &str| kept(AN_HOUR).service(ServeFile::new(root.join(name)).precompressed_br());
    Router::new()
        .nest_service("/pkg", kept(FOR_GOOD).service(packages))
        .route_service("/favicon.svg", file("favicon.svg"))
        .route_service("/robots.txt", file("robots.txt"))
}
