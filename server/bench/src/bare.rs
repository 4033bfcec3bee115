//! A bare Leptos page: cards like the catalogue's, no login, no database, no session; how fast this way of making pages is at all.

use anyhow::Result;
use axum::{
    Router,
    extract::{Path, Request},
    routing::get,
};
use leptos::prelude::*;
use tokio::net::TcpListener;

#[component]
fn Card(number: usize) -> impl IntoView {
    view! {
        <li>
            <article class="offering" id=format!("offering-{number}")>
                <h2><a href=format!("/catalogue/{number}")>{format!("JupyterLab {number}")}</a></h2>
                <p class="fine">"One seventh of an A100 with 10 GB of its own memory. The usual choice for a lesson."</p>
                <dl class="facts">
                    <div><dt>"Cards"</dt><dd>{number % 8}</dd></div>
                    <div><dt>"Memory"</dt><dd>{number * 4}" GiB"</dd></div>
                    <div><dt>"Price"</dt><dd>{format!("¥{}.{:02} / hour", number % 9, number % 100)}</dd></div>
                </dl>
            </article>
        </li>
    }
}

#[component]
fn Page(cards: usize) -> impl IntoView {
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head><meta charset="utf-8"/><title>"Catalogue"</title></head>
            <body><main><h1>"Catalogue"</h1><ul class="offerings">{(1..=cards).map(|number| view! { <Card number/> }).collect_view()}</ul></main></body>
        </html>
    }
}

/// Serves `/50` with fifty cards until the process ends.
pub async fn serve(address: &str) -> Result<()> {
    use axum::serve::ListenerExt as _;
    // Lets Leptos find the runtime; there are no routes to list.
    let _ = leptos_axum::generate_route_list(|| ());
    let page = |Path(cards): Path<usize>, request: Request| leptos_axum::render_app_async(move || view! { <Page cards/> })(request);
    let listener = TcpListener::bind(address).await?.tap_io(|connection| {
        let _ = connection.set_nodelay(true);
    });
    Ok(axum::serve(listener, Router::new().route("/{cards}", get(page))).await?)
}
