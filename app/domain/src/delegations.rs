//! Deciding while somebody is away: an approver names a stand-in for some days, who then decides in their name (C2).
//! A stand-in has what the absent person has by their own roles and nothing that was lent to them, so that there are no chains.

use serde::{Deserialize, Serialize};

use crate::{
    access::{Action, Actor, Resource},
    error::{Error, FieldErrors, Problem},
    ids::DelegationId,
    orders::Order,
    people::PersonRef,
    texts,
    time::Timestamp,
};

/// Longest note, in characters.
pub const NOTE_MAX: u32 = 200;
/// Longest time away, in days.
pub const DAYS_MAX: i64 = 366;
/// Most that one person has at a time and that are not over.
pub const DELEGATIONS_MAX: u32 = 10;

/// A delegation: a stand-in decides for an absent approver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delegation {
    pub id: DelegationId,
    pub absent: PersonRef,
    pub stand_in: PersonRef,
    /// The first instant of the first day.
    pub from: Timestamp,
    /// The first instant after the last day.
    pub until: Timestamp,
    /// May be empty.
    pub note: String,
    pub created_at: Timestamp,
    /// When somebody ended it early, or when it was over.
    pub ended_at: Option<Timestamp>,
}

impl Delegation {
    /// Whether the stand-in may decide at `now`.
    pub fn holds_at(&self, now: Timestamp) -> bool {
        self.ended_at.is_none() && self.from <= now && now < self.until
    }

    /// Whether nothing can come of it any more.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.ended_at.is_some() || self.until <= now
    }

    /// The last day on campus, as a form takes it: `2026-11-30`.
    pub fn last_day(&self) -> String {
        self.until.plus_seconds(-1).on_campus().date()
    }

    /// The first day on campus.
    pub fn first_day(&self) -> String {
        self.from.on_campus().date()
    }
}

/// As typed; days are campus days, both are part of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DelegationForm {
    /// Login.
    pub stand_in: String,
    /// Empty is today.
    pub from: String,
    pub until: String,
    pub note: String,
}

/// What a good form asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDelegation {
    /// Login, in lower case.
    pub stand_in: String,
    pub from: Timestamp,
    pub until: Timestamp,
    pub note: String,
}

impl DelegationForm {
    /// Errors: [`Error::Invalid`] on `stand_in`, `from`, `until` and `note`.
    pub fn check(&self, now: Timestamp) -> Result<NewDelegation, Error> {
        let mut errors = FieldErrors::default();
        let stand_in = self.stand_in.trim().to_lowercase();
        if stand_in.is_empty() {
            errors.push("stand_in", Problem::Missing);
        }
        let today = now.start_of_campus_day();
        let example = || today.on_campus().date();
        let from = match self.from.trim() {
            "" => Some(today),
            text => Timestamp::parse_campus_day(text),
        };
        match from {
            None => errors.push("from", Problem::NotADate { example: example() }),
            Some(from) if from < today => errors.push("from", Problem::InThePast { now }),
            Some(_) => {}
        }
        let last = match self.until.trim() {
            "" => {
                errors.push("until", Problem::Missing);
                None
            }
            text => Timestamp::parse_campus_day(text).or_else(|| {
                errors.push("until", Problem::NotADate { example: example() });
                None
            }),
        };
        if let (Some(from), Some(last)) = (from, last) {
            let days = last.campus_day() - from.campus_day() + 1;
            if days < 1 {
                errors.push("until", Problem::EndsBeforeStart);
            } else if days > DAYS_MAX {
                errors.push("until", Problem::OutOfRange { min: 1, max: DAYS_MAX });
            }
        }
        let note = texts::check(&self.note, NOTE_MAX).unwrap_or_else(|problem| {
            errors.push("note", problem);
            ""
        });
        errors.finish()?;
        let (Some(from), Some(last)) = (from, last) else { return Err(Error::Invalid(Vec::new())) };
        Ok(NewDelegation { stand_in, from, until: last.end_of_campus_day(), note: note.to_owned() })
    }
}

/// Somebody who is away now, as their stand-in decides for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absent {
    pub delegation: DelegationId,
    /// With their own roles; what courses they teach plays no part.
    pub actor: Actor,
    /// The first instant after the last day.
    pub until: Timestamp,
}

impl Absent {
    pub fn person(&self) -> PersonRef {
        PersonRef { id: self.actor.user, login: self.actor.login.clone(), name: self.actor.name.clone() }
    }
}

/// Whether this person may decide the open stage by their own roles: the policy's action, the stage's role, and nobody else's
/// stage before (C5).
///
/// Errors: those of [`Actor::can`]; [`Error::Forbidden`] where the stage is another role's; [`Error::DecidedBefore`].
pub fn may_decide(actor: &Actor, order: &Order) -> Result<(), Error> {
    actor.can(Action::OrderDecide, &Resource::owned(order.tenant, order.course, order.owner))?;
    match order.decider() {
        Some(role) if !actor.roles_in(order.course).contains(&role) => Err(Error::Forbidden),
        Some(_) if order.barred.contains(&actor.user) => Err(Error::DecidedBefore),
        // What is decided already says so by its state.
        _ => Ok(()),
    }
}

/// In whose name this person may decide the open stage: `None` in their own, which comes first. `away`: those for whom they stand in.
/// Never their own order, never the absent person's, and not after either of them passed a stage: two stages mean two people.
///
/// Errors: as [`may_decide`].
pub fn in_whose_name<'a>(actor: &Actor, away: &'a [Absent], order: &Order) -> Result<Option<&'a Absent>, Error> {
    let mut refusal = match may_decide(actor, order) {
        Ok(()) => return Ok(None),
        Err(error) if !lendable(&error) => return Err(error),
        Err(error) => error,
    };
    if order.owner == actor.user {
        return Err(refusal);
    }
    for absent in away {
        match may_decide(&absent.actor, order) {
            Ok(()) if order.decider().is_some() && order.barred.contains(&actor.user) => return Err(Error::DecidedBefore),
            Ok(()) => return Ok(Some(absent)),
            // That the absent person may know of the order lets their stand-in know; that it is the absent person's own does not.
            Err(Error::OwnOrder | Error::NotFound) => {}
            Err(error) => refusal = error,
        }
    }
    Err(refusal)
}

/// Whether somebody else's roles could help against it.
pub const fn lendable(refusal: &Error) -> bool {
    matches!(refusal, Error::Forbidden | Error::NotFound)
}

/// Whether somebody who is away could decide this order, so that their stand-in may read it.
pub fn lets_read(away: &[Absent], resource: &Resource) -> bool {
    away.iter().any(|absent| absent.actor.can(Action::OrderDecide, resource).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).expect("a time")
    }

    fn form(from: &str, until: &str) -> DelegationForm {
        DelegationForm { stand_in: " Wu ".into(), from: from.into(), until: until.into(), note: " 出差 ".into() }
    }

    #[test]
    fn both_days_are_part_of_it() {
        let now = at("2026-11-22T06:00:00Z");
        let new = form("", "2026-11-23").check(now).expect("good");
        assert_eq!((new.stand_in.as_str(), new.note.as_str()), ("wu", "出差"));
        assert_eq!((new.from, new.until), (at("2026-11-21T16:00:00Z"), at("2026-11-23T16:00:00Z")));
        let one = form("2026-11-30", "2026-11-30").check(now).expect("one day");
        assert_eq!(one.until.seconds_since(one.from), 86_400);
    }

    #[test]
    fn days_that_are_over_or_too_many_are_named() {
        let now = at("2026-11-22T06:00:00Z");
        let field = |form: DelegationForm| match form.check(now) {
            Err(Error::Invalid(problems)) => problems.into_iter().map(|each| each.field).collect::<Vec<_>>().join(" "),
            other => panic!("{other:?}"),
        };
        assert_eq!(field(form("2026-11-21", "2026-11-25")), "from");
        assert_eq!(field(form("2026-11-25", "2026-11-24")), "until");
        assert_eq!(field(form("2026-11-25", "2027-11-30")), "until");
        assert_eq!(field(form("soon", "")), "from until");
        assert_eq!(field(DelegationForm::default()), "stand_in until");
        assert_eq!(field(DelegationForm { note: "x".repeat(201), ..form("", "2026-11-25") }), "note");
        assert_eq!(field(DelegationForm { note: "on\u{200b}leave".into(), ..form("", "2026-11-25") }), "note");
    }

    #[test]
    fn it_holds_from_the_first_instant_to_the_last() {
        let person =
            |number: u128| PersonRef { id: crate::ids::UserId::from_uuid(uuid::Uuid::from_u128(number)), login: String::new(), name: String::new() };
        let (from, until) = (at("2026-11-21T16:00:00Z"), at("2026-11-23T16:00:00Z"));
        let mut delegation = Delegation {
            id: DelegationId::from_uuid(uuid::Uuid::from_u128(1)),
            absent: person(1),
            stand_in: person(2),
            from,
            until,
            note: String::new(),
            created_at: from,
            ended_at: None,
        };
        assert!(!delegation.holds_at(from.plus_seconds(-1)) && delegation.holds_at(from));
        assert!(delegation.holds_at(until.plus_seconds(-1)) && !delegation.holds_at(until));
        assert_eq!((delegation.first_day().as_str(), delegation.last_day().as_str()), ("2026-11-22", "2026-11-23"));
        delegation.ended_at = Some(from);
        assert!(!delegation.holds_at(from) && delegation.is_over(from));
    }
}
