//! Built files that are part of the binary, with the same headers as from a folder.

use axum::{
    Router,
    extract::Path,
    response::{IntoResponse as _, Response},
    routing::get,
};
use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::{AN_HOUR, AT_THE_ROOT, FOR_GOOD};

#[derive(Debug)]
pub struct File {
    /// Below the site's root.
    pub path: &'static str,
    pub plain: &'static [u8],
    /// By brotli, where that is smaller.
    pub packed: Option<&'static [u8]>,
}

/// In the order of their paths.
#[derive(Debug, Clone, Copy)]
pub struct Files(pub &'static [File]);

/// What `build.rs` found.
#[cfg(feature = "embed")]
pub const BUILT_IN: Files = Files(include!(concat!(env!("OUT_DIR"), "/site.rs")));

impl Files {
    fn find(self, path: &str) -> Option<&'static File> {
        self.0.binary_search_by(|file| file.path.cmp(path)).ok().map(|index| &self.0[index])
    }

    /// A file's text; empty when it is not there.
    pub fn text(self, path: &str) -> &'static str {
        self.find(path).and_then(|file| std::str::from_utf8(file.plain).ok()).unwrap_or_default()
    }

    fn answer(self, path: &str, asked: &HeaderMap, kept: &'static str) -> Response {
        let Some(file) = self.find(path) else { return StatusCode::NOT_FOUND.into_response() };
        let (encoding, bytes) = match file.packed {
            Some(packed) if takes_brotli(asked) => (Some("br"), packed),
            _ => (None, file.plain),
        };
        let mut response = bytes.into_response();
        let mut set = |name, value| response.headers_mut().insert(name, HeaderValue::from_static(value));
        set(header::CONTENT_TYPE, media_type(path));
        set(header::CACHE_CONTROL, kept);
        set(header::VARY, "accept-encoding");
        if let Some(encoding) = encoding {
            set(header::CONTENT_ENCODING, encoding);
        }
        response
    }
}

pub fn routes<S: Clone + Send + Sync + 'static>(files: Files) -> Router<S> {
    let package = move |Path(path): Path<String>, headers: HeaderMap| std::future::ready(files.answer(&format!("pkg/{path}"), &headers, FOR_GOOD));
    let mut router = Router::new().route("/pkg/{*path}", get(package));
    for name in AT_THE_ROOT {
        router = router.route(&format!("/{name}"), get(move |headers: HeaderMap| std::future::ready(files.answer(name, &headers, AN_HOUR))));
    }
    router
}

/// `br` in `Accept-Encoding`, without the weight 0.
fn takes_brotli(headers: &HeaderMap) -> bool {
    headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).any(|one| {
        let (name, weight) = one.split_once(';').unwrap_or((one, ""));
        let refused = weight.trim().strip_prefix("q=").and_then(|weight| weight.parse::<f32>().ok()).is_some_and(|weight| weight <= 0.0);
        name.trim().eq_ignore_ascii_case("br") && !refused
    })
}

/// Of the kinds of files that the site tool writes and that may be in `public/`.
fn media_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("css") => "text/css",
        Some("js") => "text/javascript",
        Some("json" | "map") => "application/json",
        Some("png") => "image/png",
        Some("svg") => "image/svg+xml",
        Some("txt") => "text/plain",
        Some("wasm") => "application/wasm",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    }
}
