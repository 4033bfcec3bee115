use futures::FutureExt as _;

use super::*;

const STRANGER: Lane<'static> = Lane::Anybody { address: "10.0.0.9", login: "li.hua" };

fn join(queue: &mut Queue, address: &str, login: &str) -> u64 {
    queue.join(address, login).expect("a place").0
}

/// Gives turns until nobody waits: the numbers in the order of the turns.
fn turns(queue: &mut Queue) -> Vec<u64> {
    let mut order = Vec::new();
    while let Some(called) = queue.tries.iter().find(|each| each.call.is_none()).map(|each| each.number) {
        order.push(called);
        queue.leave(called);
    }
    assert!(queue.tries.is_empty() && queue.addresses.is_empty() && queue.logins.is_empty(), "nothing is kept of those that went on");
    order
}

fn turns_before(queue: &mut Queue, number: u64) -> usize {
    turns(queue).iter().position(|each| *each == number).expect("its turn comes")
}

#[test]
fn many_logins_from_one_address_are_one_source() {
    let mut queue = Queue::default();
    for index in 0..200 {
        join(&mut queue, "10.0.0.1", &format!("guess{index}"));
    }
    let stranger = join(&mut queue, "10.0.0.9", "li.hua");
    assert!(turns_before(&mut queue, stranger) <= 4);
}

#[test]
fn many_addresses_at_one_login_are_one_source() {
    let mut queue = Queue::default();
    for index in 0..200 {
        join(&mut queue, &format!("10.1.0.{index}"), "manager");
    }
    let stranger = join(&mut queue, "10.0.0.9", "li.hua");
    assert!(turns_before(&mut queue, stranger) <= 4);
}

#[test]
fn a_new_address_soon_has_its_turn_at_a_login_that_one_address_attacks() {
    let mut queue = Queue::default();
    for _ in 0..200 {
        join(&mut queue, "10.0.0.1", "li.hua");
    }
    let owner = join(&mut queue, "10.0.0.9", "li.hua");
    assert!(turns_before(&mut queue, owner) <= 4);
}

#[test]
fn turns_go_round() {
    let mut queue = Queue::default();
    let mut first = Vec::new();
    for address in 0..10 {
        first.push(join(&mut queue, &format!("10.0.0.{address}"), &format!("first{address}")));
        for index in 0..20 {
            join(&mut queue, &format!("10.0.0.{address}"), &format!("more{address}-{index}"));
        }
    }
    let order = turns(&mut queue);
    let last = first.iter().filter_map(|number| order.iter().position(|each| each == number)).max();
    assert!(last.is_some_and(|turns| turns <= 20), "{last:?} turns before each of ten addresses had one");
}

#[test]
fn no_try_is_passed_for_ever_by_new_sources() {
    let mut queue = Queue::default();
    join(&mut queue, "10.0.0.1", "li.hua");
    join(&mut queue, "10.0.0.1", "li.hua");
    let last = join(&mut queue, "10.0.0.1", "li.hua");
    let called = |queue: &Queue| queue.tries.iter().find(|each| each.call.is_none()).map(|each| each.number).expect("one is called");
    let mut given = 0;
    while called(&queue) != last {
        for index in 0..3 {
            join(&mut queue, &format!("10.2.{given}.{index}"), &format!("new{given}-{index}"));
        }
        let number = called(&queue);
        queue.leave(number);
        given += 1;
        assert!(given < 20, "passed by {given}");
    }
}

#[test]
fn the_queue_is_bounded_for_one_source_and_for_all() {
    let mut queue = Queue::default();
    for index in 0..WAITING_MAX_OF_ONE {
        join(&mut queue, "10.0.0.1", &format!("guess{index}"));
        join(&mut queue, &format!("10.1.0.{index}"), "manager");
    }
    assert_eq!(queue.tries.len(), WAITING_MAX);
    assert_eq!(queue.join("10.0.0.1", "wang").map(drop), Err(busy()), "too many of the address");
    assert_eq!(queue.join("10.0.0.9", "manager").map(drop), Err(busy()), "too many at the login");
    // In a full queue the newest try of the largest source gives way.
    let newest = queue.tries.last().map(|each| each.number).expect("a try");
    join(&mut queue, "10.0.0.9", "li.hua");
    assert!(queue.tries.len() == WAITING_MAX && !queue.tries.iter().any(|each| each.number == newest));

    let mut queue = Queue::default();
    for index in 0..WAITING_MAX {
        join(&mut queue, &format!("10.1.0.{index}"), &format!("guess{index}"));
    }
    assert_eq!(queue.join("10.0.0.9", "li.hua").map(drop), Err(busy()), "nobody has more than one");
}

#[tokio::test]
async fn a_stranger_has_a_turn_soon_and_a_try_that_gives_way_is_told() {
    let pool = Pool::with_places(1);
    let busy_place = pool.turn(STRANGER).await.expect("the only open place");
    let logins: Vec<_> = (0..WAITING_MAX).map(|index| format!("guess{index}")).collect();
    let half = WAITING_MAX_OF_ONE;
    let lane = |index: usize| Lane::Anybody { address: if index < half { "10.0.0.1" } else { "10.0.0.2" }, login: &logins[index] };
    let mut guesses: Vec<_> = (0..WAITING_MAX).map(|index| Box::pin(pool.turn(lane(index)))).collect();
    for guess in &mut guesses {
        assert!(guess.as_mut().now_or_never().is_none());
    }
    let mut stranger = Box::pin(pool.turn(STRANGER));
    assert!(stranger.as_mut().now_or_never().is_none());
    let told = guesses.pop().expect("the newest of an address with the most").now_or_never().map(|answer| answer.map(drop));
    assert_eq!(told, Some(Err(busy())));
    drop(busy_place);
    let mut passed = 0;
    while stranger.as_mut().now_or_never().is_none() {
        let before = guesses.len();
        guesses.retain_mut(|guess| guess.as_mut().now_or_never().is_none());
        passed += before - guesses.len();
        assert!(passed < 10, "{passed} passed the stranger");
        assert!(before > guesses.len(), "somebody has the turn");
    }
}

#[tokio::test]
async fn known_people_wait_in_a_bounded_number() {
    let pool = Pool::with_places(1);
    let (first, second) = (pool.turn(Lane::Known).await.expect("the open place"), pool.turn(Lane::Known).await.expect("the reserved place"));
    let mut waiting: Vec<_> = (0..WAITING_MAX_OF_KNOWN).map(|_| Box::pin(pool.turn(Lane::Known))).collect();
    for one in &mut waiting {
        assert!(one.as_mut().now_or_never().is_none());
    }
    assert_eq!(pool.turn(Lane::Known).await.expect_err("too many wait"), busy());
    assert!(Box::pin(pool.turn(STRANGER)).as_mut().now_or_never().is_none(), "others wait apart from them");
    drop(second);
    waiting.remove(0).await.expect("the oldest has the place");
    assert!(Box::pin(pool.turn(Lane::Known)).as_mut().now_or_never().is_none(), "there is a place to wait in again");
    drop((waiting, first));
    pool.turn(Lane::Known).await.expect("clients that disconnect wait no more");
}

#[tokio::test]
async fn somebody_known_has_a_place_however_many_wait() {
    let pool = Pool::with_places(1);
    let busy_place = pool.turn(STRANGER).await.expect("the only open place");
    let logins: Vec<_> = (0..WAITING_MAX).map(|index| format!("guess{index}")).collect();
    let lane = |index: usize| Lane::Anybody { address: &logins[index], login: &logins[index] };
    let mut queue: Vec<_> = (0..WAITING_MAX).map(|index| Box::pin(pool.turn(lane(index)))).collect();
    for waiting in &mut queue {
        assert!(waiting.as_mut().now_or_never().is_none());
    }
    let refused = pool.turn(STRANGER).await.expect_err("too many wait");
    assert_eq!(refused, busy());
    let known = pool.turn(Lane::Known).await.expect("at once");
    let mut second = Box::pin(pool.turn(Lane::Known));
    assert!(second.as_mut().now_or_never().is_none(), "two at once are never more than the places");
    drop(known);
    second.await.expect("the next");
    drop(queue);
    drop(busy_place);
    pool.turn(STRANGER).await.expect("clients that disconnect wait no more");
}
