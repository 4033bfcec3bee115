//! The built files: a folder, or inside the binary (feature `embed`). Those under `/pkg` carry their content's hash in the
//! name and are kept for good; brotli is sent to who takes it.

#[cfg(any(test, feature = "embed"))]
mod inside;

use std::path::{Path, PathBuf};

use app::layout::assets::{self, Assets};
use axum::{Router, response::Response};
use http::{HeaderValue, header};
use tower::ServiceBuilder;
use tower_http::services::{ServeDir, ServeFile};

use crate::config::Config;

const FOR_GOOD: &str = "public, max-age=31536000, immutable";
const AN_HOUR: &str = "public, max-age=3600";
/// Beside `/pkg`.
const AT_THE_ROOT: [&str; 2] = ["favicon.svg", "robots.txt"];

/// Where the built files are.
#[derive(Debug, Clone)]
pub enum Site {
    Folder(PathBuf),
    #[cfg(any(test, feature = "embed"))]
    Inside(inside::Files),
}

impl Site {
    /// The folder that the configuration names; without one those in the binary, or else `target/site`.
    pub fn of(config: &Config) -> Self {
        match &config.server.site_root {
            Some(folder) => Self::Folder(folder.clone()),
            #[cfg(feature = "embed")]
            None => Self::Inside(inside::BUILT_IN),
            #[cfg(not(feature = "embed"))]
            None => Self::Folder("target/site".into()),
        }
    }

    /// Reads the names of the built files. A missing site is said loudly: pages would come without style and scripts.
    pub fn install(&self) {
        match self {
            Self::Folder(root) => match std::fs::read_to_string(root.join("assets.txt")) {
                Ok(manifest) => assets::install(Assets::parse(&manifest)),
                Err(error) => tracing::warn!(site = %root.display(), %error, "the built site is missing: `make site` builds it"),
            },
            #[cfg(any(test, feature = "embed"))]
            Self::Inside(files) => assets::install(Assets::parse(files.text("assets.txt"))),
        }
    }

    pub fn routes<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        match self {
            Self::Folder(root) => in_folder(root),
            #[cfg(any(test, feature = "embed"))]
            Self::Inside(files) => inside::routes(*files),
        }
    }
}

fn in_folder<S: Clone + Send + Sync + 'static>(root: &Path) -> Router<S> {
    let kept = |value: &'static str| {
        ServiceBuilder::new().map_response(move |mut response: Response<_>| {
            if response.status().is_success() {
                response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(value));
                response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept-encoding"));
            }
            response
        })
    };
    let packages = ServeDir::new(root.join("pkg")).precompressed_br().append_index_html_on_directories(false);
    let mut router = Router::new().nest_service("/pkg", kept(FOR_GOOD).service(packages));
    for name in AT_THE_ROOT {
        router = router.route_service(&format!("/{name}"), kept(AN_HOUR).service(ServeFile::new(root.join(name)).precompressed_br()));
    }
    router
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use http::{Method, Request};
    use tower::ServiceExt as _;

    use super::*;

    const FILES: inside::Files = inside::Files(&[
        inside::File { path: "favicon.svg", plain: b"<svg/>", packed: None },
        inside::File { path: "pkg/a/lectern.js", plain: b"export default 1;", packed: Some(b"br of js") },
        inside::File { path: "pkg/a/lectern.wasm", plain: b"\0asm", packed: Some(b"br of wasm") },
        inside::File { path: "pkg/lectern.1.css", plain: b"body{}", packed: Some(b"br of css") },
        inside::File { path: "robots.txt", plain: b"User-agent: *", packed: None },
        inside::File { path: "secret.txt", plain: b"not below pkg", packed: None },
    ]);

    /// Status, headers that matter and body.
    async fn ask(site: &Site, method: Method, path: &str, accept_encoding: &str) -> (u16, Vec<Option<String>>, Vec<u8>) {
        let request = Request::builder().method(method).uri(path).header("accept-encoding", accept_encoding).body(Body::empty()).unwrap();
        let response = site.routes::<()>().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let header = |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let headers = ["content-type", "content-encoding", "content-length", "cache-control", "vary"].map(header).to_vec();
        (status, headers, to_bytes(response.into_body(), 10_000).await.unwrap().to_vec())
    }

    #[tokio::test]
    async fn files_in_the_binary_are_sent_as_those_in_a_folder_are() {
        let folder = tempfile::tempdir().unwrap();
        for file in FILES.0 {
            let path = folder.path().join(file.path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, file.plain).unwrap();
            if let Some(packed) = file.packed {
                std::fs::write(format!("{}.br", path.display()), packed).unwrap();
            }
        }
        let (folder, inside) = (Site::Folder(folder.path().to_owned()), Site::Inside(FILES));
        for path in FILES.0.iter().map(|file| format!("/{}", file.path)).chain(
            ["/pkg", "/pkg/", "/pkg/a", "/pkg/a/", "/pkg/missing.js", "/pkg/../secret.txt", "/pkg/..%2fsecret.txt", "/assets.txt"].map(str::to_owned),
        ) {
            for encoding in ["identity", "br", "gzip, deflate, br", "br;q=0, gzip"] {
                for method in [Method::GET, Method::HEAD] {
                    let one = ask(&folder, method.clone(), &path, encoding).await;
                    let other = ask(&inside, method.clone(), &path, encoding).await;
                    // What is not there has no headers worth a promise.
                    assert!(if one.0 == 404 { other.0 == 404 } else { one == other }, "{method} {path} {encoding}: {one:?} and {other:?}");
                }
            }
        }
        let (status, headers, body) = ask(&inside, Method::GET, "/pkg/a/lectern.wasm", "br").await;
        let expected = ["application/wasm", "br", "10", FOR_GOOD, "accept-encoding"].map(|value| Some(value.to_owned()));
        assert_eq!((status, headers, body), (200, expected.to_vec(), b"br of wasm".to_vec()));
    }
}
