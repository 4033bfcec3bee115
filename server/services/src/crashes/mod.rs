//! Killed anywhere: every step of ordering, deciding, bringing up, stopping, destroying, metering and sealing, with every fault.
//!
//! A step is a commit or a call to the cluster. Each [`Story`](stories::Story) is told once without a fault, which says its steps and how it
//! ends; then once for each step and each fault. Whoever was cut off tries again, and it must end the same: the same states, records and
//! notices, nothing held, no object left, every charge as an independent recount has it, the chains whole.
//! A place in the code that commits and is in no story fails [`every_commit_of_the_main_job_is_in_a_story`].

mod outcome;
mod run;
mod stories;

use std::{collections::BTreeSet, path::Path};

use storage::testing::{
    TestDatabase, for_each_engine,
    fuse::{Fault, Step},
};

use self::{run::Run, stories::Story};
use crate::{audit, testing::TestWorld};

/// Tells the story with each fault at each of its steps.
async fn survives(story: Story, database: TestDatabase) {
    let world = TestWorld::college_on(database).await;
    let (steps, expected) = Box::pin(Run::tell(&world, story, None)).await;
    assert!(steps.len() > 5, "the story has steps");
    for (at, step) in steps.iter().enumerate() {
        for fault in Fault::ALL {
            let (_, outcome) = Box::pin(Run::tell(&world, story, Some((at, fault)))).await;
            assert_eq!(outcome, expected, "{story:?}: {fault:?} at step {at}, {step}");
        }
    }
    let wrong = crate::testing::recount::recount(&world.services).await;
    assert!(wrong.is_empty(), "{story:?}: charges differ from the recount: {wrong:?}");
    for report in audit::verify(&world.services.db).await.expect("read") {
        assert!(report.result.is_ok(), "{story:?}: {report:?}");
        assert_eq!(report.unsealed, 0, "{story:?}: {report:?}");
    }
}

macro_rules! stories {
    ($($test:ident: $story:ident),* $(,)?) => {
        const ALL: &[Story] = &[$(Story::$story),*];
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                for_each_engine(stringify!($test), |database| survives(Story::$story, database)).await;
            }
        )*
    };
}

stories! {
    a_lab_from_order_to_end: Life,
    an_order_that_people_decide: Decided,
    more_time_that_somebody_approves: Asking,
    orders_that_come_to_nothing: Nothing,
    cards_that_are_waited_for: Waiting,
    a_class_from_order_to_end: Lessons,
    a_teacher_who_leaves_the_course: Leaving,
    a_lab_that_fails_and_is_tried_again: Failing,
    a_lab_that_ends_by_itself: Ending,
    a_cluster_that_goes_away: Away,
    a_volume_that_others_change_and_delete: Vanishing,
    a_lab_that_nobody_uses: Unused,
    keys_that_change_while_a_lab_runs: Keys,
    a_start_that_takes_too_long: Late,
    a_job_whose_logs_are_kept: Job,
}

/// Folders and files of the main job.
const MAIN_JOB: [&str; 6] = ["orders", "labs", "jobs", "audit/seal.rs", "audit.rs", "cluster_status.rs"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_commit_of_the_main_job_is_in_a_story() {
    let mut told = BTreeSet::new();
    for story in ALL {
        let world = TestWorld::college().await;
        told.extend(Box::pin(Run::tell(&world, *story, None)).await.0.into_iter().filter_map(|step| match step {
            Step::Commit(file, line) => Some((file.split_once("services/src/")?.1.to_owned(), line)),
            Step::Call(_) => None,
        }));
    }
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut places = BTreeSet::new();
    for part in MAIN_JOB {
        collect(&source, &source.join(part), &mut places);
    }
    let untold: Vec<_> = places.difference(&told).map(|(file, line)| format!("{file}:{line}")).collect();
    assert!(places.len() > 30, "the places are found: {places:?}");
    assert!(untold.is_empty(), "transactions that begin here are in no story of crashes/stories.rs: {untold:#?}");
}

/// Every place outside of tests where a transaction begins: file below `src`, and line.
fn collect(source: &Path, at: &Path, places: &mut BTreeSet<(String, u32)>) {
    if at.is_dir() {
        for entry in std::fs::read_dir(at).expect("a folder").map(|entry| entry.expect("an entry")) {
            let name = entry.file_name();
            if name != "tests" && name != "tests.rs" {
                collect(source, &entry.path(), places);
            }
        }
        return;
    }
    let file = at.strip_prefix(source).expect("below it").to_string_lossy().replace('\\', "/");
    let text = std::fs::read_to_string(at).expect("a source file");
    for (number, line) in (1..).zip(text.lines()) {
        let begins = ["begin_write(", "begin_write_in_line("].iter().any(|begin| line.contains(begin));
        if begins && line.contains(".await") {
            places.insert((file.clone(), number));
        }
    }
}
