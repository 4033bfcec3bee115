//! `GET /api/v1/openapi.json`: the description of all of the API, made from the handlers. Needs no token.

use axum::Json;
use utoipa::{
    Modify, OpenApi,
    openapi::{
        self, SecurityRequirement,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Lectern",
        version = "1",
        description = "Labs for GPU teaching clusters: order, approve, run, bill, audit.\n\n\
            Every request carries `Authorization: Bearer lct_…`; tokens come from `lectern token create`. Errors are RFC 9457 problem \
            documents (`application/problem+json`) with a stable `code`; `Accept-Language` (`zh-CN` or `en`) chooses their texts. \
            What one may not see answers 404. `Retry-After` says when to try again after 429 and 503."
    ),
    paths(
        show,
        super::offerings::list,
        super::orders::list, super::orders::submit, super::orders::show, super::orders::approve, super::orders::reject, super::orders::cancel,
        super::labs::list, super::labs::show, super::labs::start, super::labs::stop, super::labs::destroy,
        super::usage::list, super::bills::list, super::quotas::list, super::audit::list,
    ),
    modifiers(&Bearer),
)]
struct Document;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut openapi::OpenApi) {
        let scheme = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
        document.components.get_or_insert_default().add_security_scheme("token", scheme);
        document.security = Some(vec![SecurityRequirement::new::<_, [&str; 0], &str>("token", [])]);
    }
}

pub fn document() -> openapi::OpenApi {
    Document::openapi()
}

/// This document.
#[utoipa::path(get, path = "/api/v1/openapi.json", tag = "meta", security(()), responses((status = 200, description = "An OpenAPI 3.1 document")))]
pub async fn show() -> Json<openapi::OpenApi> {
    Json(document())
}
