//! Defaults for containers that ask for nothing: without them the ResourceQuota would refuse such a pod. Lectern's own ask for all.

use domain::courses::Course;
use serde_json::json;

use super::Manifest;
use crate::{kinds::Kind, labels};

const NAME: &str = "lectern-course";

pub fn limit_range(course: &Course) -> Manifest {
    let modest = json!({ "cpu": "1", "memory": "1Gi" });
    let spec = json!({ "limits": [{ "type": "Container", "default": modest, "defaultRequest": modest }] });
    Manifest::new(Kind::LimitRange, &course.namespace, NAME, &labels::of_course(course), json!({ "spec": spec }))
}
