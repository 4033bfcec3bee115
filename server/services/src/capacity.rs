//! Setting cards aside, node by node (C4). Everything here comes under the lock of the kind of card.

use domain::{
    Error, Result,
    capacity::{self, Hand, NoRoom, Pods, WaitReason},
    catalogue::LabSpec,
    gpu::Card,
    ids::LabId,
    time::Timestamp,
};
use storage::{
    AnyConnection, Write,
    placement::{self, Rooms},
    reservations::Waiting,
    script::{Insert, Script},
};

use crate::error::OrDomain;

/// How far down the queue is looked for somebody whom waiting helps.
const DEEP: u32 = 500;

/// A node with free cards for every pod. Good for as long as the lock of the kind of card is held.
#[derive(Debug)]
pub(crate) struct Places(Vec<(String, u32)>);

/// Where cards of one kind are handed out, to one lab after the other. Nobody else hands out such cards until the transaction ends.
#[derive(Debug)]
pub(crate) struct Counter {
    hand: Hand,
    /// The queue is longer than the part that was read: a new order waits behind it.
    closed: bool,
}

impl Counter {
    /// For those who come now: everybody who waits has had their turn. Comes after the course's lock; of several kinds in their order.
    pub(crate) async fn open(write: &mut Write, card: Card, now: Timestamp) -> Result<Self> {
        storage::pools::lock(write, card).await.or_domain()?;
        let rooms = placement::rooms(write, card).await.or_domain()?;
        Self::after_line(write, rooms, card, now).await
    }

    /// The rest of `rooms` once everybody who waits has had their turn.
    async fn after_line(connection: &mut AnyConnection, rooms: Rooms, card: Card, now: Timestamp) -> Result<Self> {
        let looks = rooms.awaited && rooms.free > 0;
        let (line, more) = if looks { waiting(connection, card, &rooms, now).await? } else { (Vec::new(), false) };
        let mut counter = Self::for_line(rooms);
        counter.hand.serve(line.iter().map(|waiting| &waiting.place), now);
        counter.closed = more;
        Ok(counter)
    }

    /// For those who wait, in their order.
    pub(crate) fn for_line(rooms: Rooms) -> Self {
        Self { hand: Hand::new(rooms.nodes, rooms.free), closed: false }
    }

    /// Where all pods of it go; they are not free any more. `None` when there is no room beside those who wait for such cards.
    pub(crate) fn take(&mut self, spec: &LabSpec) -> Option<Places> {
        if self.closed && spec.cards() > 0 {
            return None;
        }
        self.hand.take(Pods::of(spec)).map(Places)
    }

    /// Whether it is the turn of somebody in line. Where there is no room those behind pass, unless it waited too long.
    pub(crate) fn calls(&mut self, waiting: &Waiting, now: Timestamp) -> bool {
        let has_room = self.hand.has_room(waiting.place.pods);
        if !has_room && waiting.place.is_due(now) {
            self.hand.keep_for(waiting.place.pods);
        }
        has_room
    }
}

/// Sets the lab's cards aside where they were planned; `false`, and nothing is written, when they are not free after all.
///
/// Two approvals at once come one after the other here, and the second one finds what the first has planned.
pub(crate) async fn reserve(write: &mut Write, lab: LabId, spec: &LabSpec, places: &Places, now: Timestamp) -> Result<bool> {
    let mut statements = reservation(lab, spec, places, now).into_iter();
    let mut script = Script::default();
    let Some(take) = statements.next() else { return Ok(false) };
    if !take.run(write).await.or_domain()? {
        return Ok(false);
    }
    script.extend(statements);
    script.run(write).await.or_domain()
}

/// The same as statements, of which the first writes nothing when the cards are not free after all.
pub(crate) fn reservation(lab: LabId, spec: &LabSpec, Places(places): &Places, now: Timestamp) -> Vec<Insert> {
    // Also for a job: its pods would take cards that were planned for a lab that needs several on one node.
    let preferred: Vec<_> = places.iter().map(|(node, _)| node.as_str()).collect();
    let take = storage::reservations::take(lab, spec.card, spec.cards(), &preferred, now);
    std::iter::once(take).chain(placement::new_places(lab, places)).collect()
}

/// Changes the cards that a lab holds from those of `old` to those of `spec`. A lab that grows comes now: those who wait have their turn
/// first, and may be passed as in the queue. Fewer cards of the same kind are given back later, when the old pods are gone.
///
/// Errors: `OverCapacity`, and nothing is written.
pub(crate) async fn resize(write: &mut Write, lab: LabId, old: &LabSpec, spec: &LabSpec, now: Timestamp) -> Result<()> {
    let (card, cards, asked) = (spec.card, spec.cards(), more_cards(old, spec));
    if asked == 0 {
        return Ok(());
    }
    storage::pools::lock(write, card).await.or_domain()?;
    let Growing { mut counter, free, no_room } = growing(write, lab, old, spec, now).await?;
    let refused = |why| Error::OverCapacity { asked, free, why };
    if let Some(why) = no_room {
        return Err(refused(why));
    }
    let Some(Places(places)) = counter.take(spec) else { return Err(refused(NoRoom::TooFew)) };
    if !storage::reservations::change(write, lab, card, cards).await.or_domain()? {
        return Err(refused(NoRoom::TooFew));
    }
    placement::put_places(write, lab, &places).await.or_domain()
}

/// Cards that a lab needs in addition when its size changes.
pub(crate) fn more_cards(old: &LabSpec, spec: &LabSpec) -> u32 {
    if spec.card == old.card { spec.cards().saturating_sub(old.cards()) } else { spec.cards() }
}

/// How many cards are free, and why a lab with the size `old` would not get `spec` now: the question that [`resize`] asks, without a lock.
pub(crate) async fn growth(
    connection: &mut AnyConnection,
    lab: LabId,
    old: &LabSpec,
    spec: &LabSpec,
    now: Timestamp,
) -> Result<(u32, Option<NoRoom>)> {
    let Growing { free, no_room, .. } = growing(connection, lab, old, spec, now).await?;
    Ok((free, no_room))
}

/// The cards that a growing lab can take.
struct Growing {
    counter: Counter,
    /// Of the kind as a whole.
    free: u32,
    no_room: Option<NoRoom>,
}

async fn growing(connection: &mut AnyConnection, lab: LabId, old: &LabSpec, spec: &LabSpec, now: Timestamp) -> Result<Growing> {
    let rooms = placement::rooms(connection, spec.card).await.or_domain()?;
    let free = rooms.free;
    let mut alone = Hand::new(rooms.nodes.clone(), free);
    let mut counter = Counter::after_line(connection, rooms, spec.card, now).await?;
    if spec.card == old.card {
        let places = placement::places_of(connection, lab).await.or_domain()?;
        alone.give_back(&places, Pods::of(old));
        counter.hand.give_back(&places, Pods::of(old));
    }
    let pods = Pods::of(spec);
    let no_room = if !counter.closed && counter.hand.has_room(pods) {
        None
    } else if alone.has_room(pods) {
        Some(NoRoom::Kept)
    } else if free >= more_cards(old, spec) {
        Some(NoRoom::Elsewhere)
    } else {
        Some(NoRoom::TooFew)
    };
    Ok(Growing { counter, free, no_room })
}

/// Why an order or a lab of this size waits for cards now. One statement, two where cards are free.
pub(crate) async fn wait_reason(connection: &mut AnyConnection, spec: &LabSpec) -> Result<WaitReason> {
    let pool = storage::pools::find(connection, spec.card).await.or_domain()?;
    let reason = capacity::wait_reason(pool.as_ref(), spec);
    if !matches!(reason, WaitReason::Turn { .. }) {
        return Ok(reason);
    }
    let rooms = placement::rooms(connection, spec.card).await.or_domain()?;
    if rooms.nodes.is_empty() || capacity::plan(&rooms.nodes, Pods::of(spec)).is_some() {
        return Ok(reason);
    }
    Ok(WaitReason::NoMachine { card: spec.card, cpu_cores: spec.cpu_cores, memory_gib: spec.memory_gib })
}

/// The head of the queue, without those that no waiting helps before the cluster grows: they must not hold up everybody else. And whether
/// more wait than were looked at.
pub(crate) async fn waiting(connection: &mut AnyConnection, card: Card, rooms: &Rooms, now: Timestamp) -> Result<(Vec<Waiting>, bool)> {
    let most = rooms.nodes.iter().fold(0, |sum: u32, room| sum.saturating_add(room.total));
    let mut waiting = storage::reservations::queue(connection, card, most, now, DEEP).await.or_domain()?;
    let more = waiting.len() >= DEEP as usize;
    waiting.retain(|waiting| capacity::can_ever_fit(&rooms.nodes, waiting.place.pods));
    Ok((waiting, more))
}
