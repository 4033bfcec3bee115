//! The course's namespace. Its label asks the cluster itself to refuse pods that are not hardened (G3), also those not made here.

use domain::courses::Course;
use serde_json::{Value, json};

use super::Manifest;
use crate::{kinds::Kind, labels};

pub fn namespace(course: &Course) -> Manifest {
    let mut all = labels::of_course(course);
    all["pod-security.kubernetes.io/enforce"] = json!("restricted");
    let mut manifest = Manifest::new(Kind::Namespace, "", &course.namespace, &all, Value::Null);
    manifest.body["metadata"]["annotations"] = json!({ labels::COURSE_CODE: course.code, "lectern.dev/course-name": course.name });
    manifest
}
