//! A lab that nobody ordered, so that people see what one would be made of. Its names say so.

use std::collections::BTreeMap;

use domain::{
    catalogue::{LabSpec, Offering},
    courses::Course,
    ids::{CourseId, LabId, OrderId, TenantId, UserId},
    labs::{Lab, LabState},
    money::{Currency, Money},
    quotas::QuotaSettings,
    time::Timestamp,
};
use uuid::Uuid;

use crate::ports::LabOrder;

const CODE: &str = "EXAMPLE";

pub(super) fn order(offering: &Offering, spec: LabSpec, now: Timestamp) -> LabOrder {
    let id = Uuid::nil();
    let namespace = domain::courses::namespace("example", CODE);
    let course = Course {
        id: CourseId::from_uuid(id),
        tenant: TenantId::from_uuid(id),
        code: CODE.into(),
        name: CODE.into(),
        namespace: namespace.clone(),
        settings: QuotaSettings::reference(Money::units(0, Currency::Cny)),
    };
    let lab = Lab {
        id: LabId::from_uuid(id),
        order: OrderId::from_uuid(id),
        tenant: course.tenant,
        course: course.id,
        owner: UserId::from_uuid(id),
        name: "lab-example".into(),
        namespace,
        offering_name: offering.name.clone(),
        spec,
        minutes: offering.duration.default,
        state: LabState::Pending,
        reserved: false,
        failure: None,
        created_at: now,
        first_running_at: None,
        ends_at: None,
        lifecycle: domain::labs::Lifecycle::default(),
        version: 1,
    };
    let (secrets, pod_annotations) = (BTreeMap::new(), BTreeMap::new());
    let own_secret = None;
    LabOrder { lab, course, owner_login: "teacher".into(), preferred_nodes: Vec::new(), at: now, secrets, own_secret, pod_annotations }
}
