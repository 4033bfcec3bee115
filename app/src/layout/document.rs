//! The HTML document: head, theme, language, the scripts that let the browser take over. Only the server writes it.

use leptos::prelude::*;

use super::App;
use crate::components::IconSprite;

/// Names of the built files, which carry their content's hash so that a browser may keep them for good.
#[cfg(feature = "ssr")]
pub mod assets {
    use std::sync::OnceLock;

    /// URL paths of the three files of a page.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Assets {
        pub script: String,
        pub wasm: String,
        pub style: String,
    }

    impl Default for Assets {
        /// The plain names that cargo-leptos writes.
        fn default() -> Self {
            Self { script: "/pkg/lectern.js".into(), wasm: "/pkg/lectern.wasm".into(), style: "/pkg/lectern.css".into() }
        }
    }

    impl Assets {
        /// Reads `assets.txt` of the built site: lines of `script`, `wasm` or `style` and a URL path.
        pub fn parse(manifest: &str) -> Self {
            let mut assets = Self::default();
            for line in manifest.lines() {
                match line.split_once(' ') {
                    Some(("script", path)) => path.trim().clone_into(&mut assets.script),
                    Some(("wasm", path)) => path.trim().clone_into(&mut assets.wasm),
                    Some(("style", path)) => path.trim().clone_into(&mut assets.style),
                    _ => {}
                }
            }
            assets
        }
    }

    static INSTALLED: OnceLock<Assets> = OnceLock::new();

    /// Call once at start with the content of `assets.txt`; later calls change nothing.
    pub fn install(assets: Assets) {
        let _ = INSTALLED.set(assets);
    }

    pub fn installed() -> Assets {
        INSTALLED.get().cloned().unwrap_or_default()
    }

    #[cfg(test)]
    mod tests {
        use super::Assets;

        #[test]
        fn the_manifest_names_the_files() {
            let assets = Assets::parse("script /pkg/lectern.1.js\nwasm /pkg/lectern.2.wasm\nstyle /pkg/lectern.3.css\nother x\n");
            assert_eq!(assets.script, "/pkg/lectern.1.js");
            assert_eq!(assets.wasm, "/pkg/lectern.2.wasm");
            assert_eq!(assets.style, "/pkg/lectern.3.css");
            assert_eq!(Assets::parse(""), Assets::default());
        }
    }
}

/// The document. Reads language and theme from the request, provides both to the pages, and answers with a content
/// security policy for exactly this response.
#[cfg(feature = "ssr")]
pub fn shell(_options: LeptosOptions) -> impl IntoView {
    use crate::language;

    let preferences = request::preferences();
    provide_context(preferences);
    provide_context(preferences.language);
    let nonce = leptos::nonce::use_nonce();
    if let Some(nonce) = &nonce {
        request::set_policy(nonce);
    }
    let files = assets::installed();
    let start = format!("import({:?}).then(m=>m.default({{module_or_path:{:?}}}).then(()=>m.hydrate()))", files.script, files.wasm);
    view! {
        <!DOCTYPE html>
        <html lang=language::tag(preferences.language) data-theme=preferences.theme.name()>
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover"/>
                <meta name="color-scheme" content="light dark"/>
                <link rel="stylesheet" href=files.style/>
                <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
                <link rel="modulepreload" href=files.script crossorigin=nonce.clone()/>
                <link rel="preload" href=files.wasm r#as="fetch" r#type="application/wasm" crossorigin="anonymous"/>
                <script type="module" nonce=nonce inner_html=start></script>
                <leptos_meta::MetaTags/>
            </head>
            <body>
                <App/>
                <IconSprite/>
            </body>
        </html>
    }
}

/// In the browser there is no document to write.
#[cfg(not(feature = "ssr"))]
pub fn shell(_options: LeptosOptions) -> impl IntoView {
    let _ = (App, IconSprite);
}

#[cfg(feature = "ssr")]
mod request {
    use http::{HeaderValue, header, request::Parts};
    use leptos::{nonce::Nonce, prelude::use_context};
    use leptos_axum::ResponseOptions;

    use crate::preferences::Preferences;

    pub fn preferences() -> Preferences {
        let Some(parts) = use_context::<Parts>() else {
            return Preferences::default();
        };
        let header = |name| parts.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).unwrap_or_default();
        Preferences::from_headers(header(header::COOKIE), header(header::ACCEPT_LANGUAGE))
    }

    /// Scripts: our own files and the inline ones that carry this response's nonce. `style-src-attr` is for the numbers
    /// that meters and charts hand to the style sheet.
    pub fn set_policy(nonce: &Nonce) {
        let policy = format!(
            "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self'; \
             style-src-attr 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; \
             manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        );
        if let (Some(options), Ok(value)) = (use_context::<ResponseOptions>(), HeaderValue::from_str(&policy)) {
            options.insert_header(header::CONTENT_SECURITY_POLICY, value);
        }
    }
}
