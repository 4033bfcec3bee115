//! The undecided order that every new order begins as. A new field of [`Order`] gets its first value here.

use std::collections::BTreeSet;

use domain::{
    approvals::Ruling,
    catalogue::{LabSpec, Offering, ParameterInput},
    ids::{CourseId, OrderId, TenantId, UserId},
    orders::{Order, OrderState},
    pricing::Estimate,
    time::Timestamp,
};

use crate::Services;

/// The content of an order that nobody has decided yet.
#[derive(Debug)]
pub(super) struct Undecided<'o> {
    pub tenant: TenantId,
    pub course: CourseId,
    pub owner: UserId,
    pub offering: &'o Offering,
    pub spec: LabSpec,
    /// Its minutes are those of the order.
    pub estimate: Estimate,
    pub ruling: Ruling,
}

impl Undecided<'_> {
    /// For one lab at once, without typed parameters and without a purpose; callers set what differs.
    pub(super) fn order(self, services: &Services, number: i64, now: Timestamp) -> Order {
        let Self { tenant, course, owner, offering, spec, estimate, ruling } = self;
        Order {
            id: OrderId::from_uuid(services.entropy.uuid()),
            number,
            tenant,
            course,
            owner,
            offering: offering.id,
            offering_version: offering.version,
            offering_name: offering.name.clone(),
            parameters: ParameterInput::new(),
            spec,
            minutes: estimate.minutes,
            purpose: String::new(),
            state: OrderState::PendingApproval,
            ruling,
            estimate,
            submitted_at: now,
            expires_at: now.plus_minutes(services.settings.hold_days * 24 * 60),
            decided_at: None,
            decided_by: None,
            reason: None,
            queued_at: None,
            stage: 0,
            barred: BTreeSet::new(),
            proposal: None,
            starts_at: None,
            seat: None,
            class: None,
            change: None,
            version: 1,
        }
    }
}
