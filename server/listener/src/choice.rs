//! Which connections are closed: those over a time limit, those beyond an address's share of slow ones, and, when the cap is reached,
//! the connection that the server has waited for longest.

use std::{collections::HashMap, net::IpAddr, time::Duration};

use crate::{limits::Limits, meter::Standing};

/// For so long nothing is held against a new connection or a head that has begun: the client's bytes may be on their way.
const MOMENT: Duration = Duration::from_millis(250);

/// Snapshot of a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    pub id: u64,
    pub address: IpAddr,
    pub standing: Standing,
    pub waited: Duration,
}

impl Seen {
    fn is_overdue(&self, limits: &Limits) -> bool {
        self.standing.longest(limits).is_some_and(|longest| self.waited >= longest)
    }

    fn is_slow(&self, limits: &Limits) -> bool {
        self.standing.is_dripping() && self.waited >= limits.slow()
    }

    /// Order in which connections are closed to make room, lowest first; `None` for those that are never closed for room.
    fn rank(&self, limits: &Limits) -> Option<u8> {
        match self.standing {
            Standing::Head | Standing::New if self.waited < MOMENT => None,
            Standing::Head | Standing::Body => Some(0),
            Standing::New => Some(1),
            Standing::Idle => Some(2),
            Standing::Answer if self.waited >= limits.write / 4 => Some(3),
            Standing::Answer | Standing::Busy => None,
        }
    }
}

/// Connections over a time limit, then those beyond an address's share of slow ones, the slowest first.
pub(crate) fn overdue(all: &[Seen], limits: &Limits) -> Vec<u64> {
    let (late, rest): (Vec<&Seen>, Vec<&Seen>) = all.iter().partition(|seen| seen.is_overdue(limits));
    let mut slow: HashMap<IpAddr, Vec<&Seen>> = HashMap::new();
    for seen in rest.into_iter().filter(|seen| seen.is_slow(limits)) {
        slow.entry(seen.address).or_default().push(seen);
    }
    let beyond = slow.into_values().flat_map(|mut seen| {
        seen.sort_by_key(|seen| std::cmp::Reverse(seen.waited));
        seen.truncate(seen.len().saturating_sub(limits.slow_per_address));
        seen
    });
    late.into_iter().chain(beyond).map(|seen| seen.id).collect()
}

/// The connection to close for room: among those of the lowest rank, one of the address with the most of them, waited for longest.
pub(crate) fn victim(all: &[Seen], limits: &Limits) -> Option<u64> {
    let first = all.iter().filter_map(|seen| seen.rank(limits)).min()?;
    let candidates: Vec<_> = all.iter().filter(|seen| seen.rank(limits) == Some(first)).collect();
    let mut count: HashMap<IpAddr, usize> = HashMap::new();
    for seen in &candidates {
        *count.entry(seen.address).or_default() += 1;
    }
    candidates.into_iter().max_by_key(|seen| (count[&seen.address], seen.waited)).map(|seen| seen.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const OTHER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    fn seen(id: u64, address: IpAddr, standing: Standing, seconds: u64) -> Seen {
        Seen { id, address, standing, waited: Duration::from_secs(seconds) }
    }

    /// 327 teachers behind one address with six connections each: answers, a stream, idle ones.
    fn teachers() -> Vec<Seen> {
        let kinds = [Standing::Busy, Standing::Busy, Standing::Idle, Standing::Idle, Standing::Idle, Standing::Answer];
        (0..327 * 6).map(|id| seen(id, NAT, kinds[usize::try_from(id % 6).unwrap()], if id % 6 == 5 { 1 } else { 7_200 % 70 })).collect()
    }

    #[test]
    fn of_a_college_behind_one_address_only_the_dripping_connections_are_closed() {
        let limits = Limits::default();
        let mut all = teachers();
        let dripping = 10_000..10_300;
        all.extend(dripping.clone().map(|id| seen(id, NAT, Standing::Head, 3 + id % 10)));
        let closed = overdue(&all, &limits);
        assert_eq!(closed.len(), 300 - limits.slow_per_address);
        assert!(closed.iter().all(|id| dripping.contains(id)), "{closed:?}");
        // The same when the cap is reached.
        assert!(dripping.contains(&victim(&all, &limits).unwrap()));
    }

    #[test]
    fn what_takes_too_long_is_closed_and_a_stream_of_hours_is_not() {
        let limits = Limits::default();
        let all = [
            seen(1, NAT, Standing::Busy, 0),
            seen(2, NAT, Standing::Head, 20),
            seen(3, NAT, Standing::Head, 2),
            seen(4, NAT, Standing::Idle, 74),
            seen(5, NAT, Standing::Idle, 75),
            seen(6, NAT, Standing::New, 20),
            seen(7, NAT, Standing::Body, 20),
            seen(10, NAT, Standing::Body, 19),
            seen(8, NAT, Standing::Answer, 59),
            seen(9, NAT, Standing::Answer, 60),
        ];
        assert_eq!(overdue(&all, &limits), [2, 5, 6, 7, 9]);
    }

    #[test]
    fn room_is_made_by_those_that_the_server_waits_for_and_by_nobody_else() {
        let limits = Limits::default();
        let busy = [seen(1, NAT, Standing::Busy, 0), seen(2, OTHER, Standing::Answer, 1)];
        assert_eq!(victim(&busy, &limits), None);
        let mut all = busy.to_vec();
        all.extend([seen(3, NAT, Standing::Idle, 9), seen(4, NAT, Standing::Idle, 30), seen(5, OTHER, Standing::Idle, 70)]);
        assert_eq!(victim(&all, &limits), Some(4), "of the address that has most");
        all.push(seen(6, OTHER, Standing::New, 1));
        assert_eq!(victim(&all, &limits), Some(6), "before those that were of use");
        all.push(seen(7, NAT, Standing::Body, 1));
        assert_eq!(victim(&all, &limits), Some(7), "before all others");
    }

    #[test]
    fn where_all_others_are_answered_a_new_connection_is_not_closed_for_the_next() {
        let limits = Limits::default();
        let young = |id, standing| Seen { waited: MOMENT / 2, ..seen(id, OTHER, standing, 0) };
        let mut all: Vec<_> = (0..200).map(|id| seen(id, NAT, Standing::Busy, 0)).collect();
        all.extend([young(500, Standing::New), young(501, Standing::Head)]);
        assert_eq!(victim(&all, &limits), None);
        // Connections that are silent for longer are closed for room.
        all.push(Seen { waited: MOMENT, ..seen(502, OTHER, Standing::New, 0) });
        assert_eq!(victim(&all, &limits), Some(502));
    }
}
