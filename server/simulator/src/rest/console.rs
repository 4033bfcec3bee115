//! `/simulator/faults`: the switches of `faults`, for operators who rehearse and for programs. Not part of any real API.
//!
//! `GET` lists them, `POST` switches one on, `DELETE` switches all off, or one by its id. `kubectl create --raw /simulator/faults -f FILE`.

use axum::{
    http::{Method, StatusCode},
    response::Response,
};
use serde_json::{Value, json};

use super::{Api, json as respond};
use crate::{
    error::{ApiError, Result},
    faults::{Listed, Order, Rule, Switch},
};

pub fn answer(api: &Api, path: &str, method: &Method, body: &[u8]) -> Option<Result<Response>> {
    let rest = path.strip_prefix("/simulator/faults")?;
    if !rest.is_empty() && !rest.starts_with('/') {
        return None;
    }
    let id = rest.trim_matches('/');
    Some(match (method.as_str(), id) {
        ("GET", "") => Ok(respond(StatusCode::OK, &list(api))),
        ("POST", "") => switch_on(api, body),
        ("DELETE", "") => {
            api.faults.all_off();
            Ok(respond(StatusCode::OK, &list(api)))
        }
        ("DELETE", id) => switch_off(api, id),
        _ => Err(ApiError::method_not_allowed()),
    })
}

fn list(api: &Api) -> Value {
    let faults: Vec<_> = api.faults.list().iter().map(Listed::shown).collect();
    json!({"faults": faults, "requests": api.faults.met()})
}

fn switch_on(api: &Api, body: &[u8]) -> Result<Response> {
    let order: Order = serde_json::from_slice(body).map_err(|error| ApiError::bad_request(format!("this is no fault: {error}")))?;
    let rule = Rule::try_from(order).map_err(|wrong| ApiError::bad_request(wrong.to_string()))?;
    let switch = api.faults.switch_on(rule);
    shown(api, switch, StatusCode::CREATED)
}

fn switch_off(api: &Api, id: &str) -> Result<Response> {
    let switch = Switch(id.parse().map_err(|_| ApiError::no_such_path())?);
    api.faults.switch_off(switch);
    shown(api, switch, StatusCode::OK)
}

fn shown(api: &Api, switch: Switch, status: StatusCode) -> Result<Response> {
    let listed = api.faults.list().into_iter().find(|listed| listed.switch == switch).ok_or_else(ApiError::no_such_path)?;
    Ok(respond(status, &listed.shown()))
}
