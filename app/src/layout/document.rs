//! The HTML document: head, theme, language, the scripts that let the browser take over. Only the server writes it.

use leptos::prelude::*;

use super::App;
use crate::components::IconSprite;

/// Names of the built files, which carry their content's hash so that a browser may keep them for good.
#[cfg(feature = "ssr")]
pub mod assets {
    use std::{collections::BTreeMap, sync::OnceLock};

    /// URL paths of the files of a page.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Assets {
        pub script: String,
        /// Loads what is lazy.
        pub loader: Option<String>,
        pub wasm: String,
        pub style: String,
        /// What the pages of a part need as well, by the names in `lazy.rs`.
        pub lazy: BTreeMap<String, Vec<String>>,
    }

    impl Default for Assets {
        /// The plain names that cargo-leptos writes.
        fn default() -> Self {
            Self {
                script: "/pkg/lectern.js".into(),
                loader: None,
                wasm: "/pkg/lectern.wasm".into(),
                style: "/pkg/lectern.css".into(),
                lazy: BTreeMap::new(),
            }
        }
    }

    impl Assets {
        /// Reads `assets.txt` of the built site: lines of `script`, `loader`, `wasm` or `style` and a URL path, and of `lazy`,
        /// a part and a URL path.
        pub fn parse(manifest: &str) -> Self {
            let mut assets = Self::default();
            for line in manifest.lines() {
                match line.split_once(' ') {
                    Some(("script", path)) => path.trim().clone_into(&mut assets.script),
                    Some(("wasm", path)) => path.trim().clone_into(&mut assets.wasm),
                    Some(("style", path)) => path.trim().clone_into(&mut assets.style),
                    Some(("loader", path)) => assets.loader = Some(path.trim().to_owned()),
                    Some(("lazy", rest)) => {
                        if let Some((part, path)) = rest.split_once(' ') {
                            assets.lazy.entry(part.to_owned()).or_default().push(path.trim().to_owned());
                        }
                    }
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
            let assets = Assets::parse(
                "script /pkg/lectern.1.js\nloader /pkg/lazy.js\nwasm /pkg/lectern.2.wasm\nstyle /pkg/lectern.3.css\n\
                 lazy billing /pkg/4.wasm\nlazy billing /pkg/5.wasm\nother x\n",
            );
            assert_eq!(assets.script, "/pkg/lectern.1.js");
            assert_eq!(assets.wasm, "/pkg/lectern.2.wasm");
            assert_eq!(assets.style, "/pkg/lectern.3.css");
            assert_eq!(assets.loader.as_deref(), Some("/pkg/lazy.js"));
            assert_eq!(assets.lazy["billing"], ["/pkg/4.wasm", "/pkg/5.wasm"]);
            assert_eq!(Assets::parse(""), Assets::default());
        }
    }
}

/// The document. Reads language and theme from the request, provides both to the pages, and answers with a content
/// security policy for exactly this response.
#[cfg(feature = "ssr")]
pub fn shell(_options: LeptosOptions) -> impl IntoView {
    use crate::{html_text::script_string, language};

    let preferences = request::preferences();
    provide_context(preferences);
    provide_context(preferences.language);
    let nonce = leptos::nonce::use_nonce();
    if let Some(nonce) = &nonce {
        request::set_policy(nonce);
    }
    let mut files = assets::installed();
    let lazy = request::path().and_then(|path| files.lazy.remove(crate::lazy::part_of(&path)?)).unwrap_or_default();
    let start = format!(
        "import({}).then(m=>m.default({{module_or_path:{}}}).then(()=>m.hydrate()))",
        script_string(&files.script),
        script_string(&files.wasm)
    );
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
                {files.loader.map(|loader| view! { <link rel="modulepreload" href=loader crossorigin=nonce.clone()/> })}
                <link rel="preload" href=files.wasm r#as="fetch" r#type="application/wasm" crossorigin="anonymous"/>
                {lazy.into_iter().map(|file| view! { <link rel="preload" href=file r#as="fetch" r#type="application/wasm" crossorigin="anonymous"/> }).collect_view()}
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

    /// The page that is asked for.
    pub fn path() -> Option<String> {
        Some(use_context::<Parts>()?.uri.path().to_owned())
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
