//! Finds the offering and the course that a form names, with the errors that belong to their fields.

use domain::{
    Error, Problem, Result,
    access::{Action, Resource},
    catalogue::Offering,
    courses::Course,
    orders::OrderForm,
};
use storage::AnyConnection;

use crate::{Caller, catalogue::Shelf, error::OrDomain};

/// An offering that the caller may not see is none.
pub(super) fn offering<'s>(shelf: &'s Shelf, caller: &'s Caller, form: &OrderForm) -> Result<&'s Offering> {
    match form.offering.trim() {
        "" => Err(Error::field("offering", Problem::Missing)),
        name => shelf.offering(&caller.actor, name).ok_or_else(|| Error::field("offering", Problem::NoSuch)),
    }
}

/// The course that a form names, as far as the caller may know of it.
#[derive(Debug)]
pub(super) enum Named {
    Course(Course),
    /// None of that name in the caller's tenant, or nothing was typed: the form's mistake.
    Nothing,
    /// It is there and not the caller's: answered like `Nothing`, and recorded.
    Hidden(Course),
}

/// By code or id. Errors: `Forbidden` or `ScopeMissing` when the caller may not do this for any course.
pub(super) async fn course(connection: &mut AnyConnection, caller: &Caller, action: Action, form: &OrderForm) -> Result<Named> {
    let actor = &caller.actor;
    actor.can(action, &caller.own())?;
    // An archived course takes no more orders, as if it were gone.
    let Some(course) = storage::courses::open(connection, actor.tenant, form.course.trim()).await.or_domain()? else { return Ok(Named::Nothing) };
    match actor.can(action, &Resource::course(actor.tenant, course.id)) {
        Ok(()) => Ok(Named::Course(course)),
        Err(Error::NotFound) => Ok(Named::Hidden(course)),
        Err(other) => Err(other),
    }
}
