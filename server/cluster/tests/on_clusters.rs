//! The same scenarios on the simulator and on a real control plane. Another scenario: a function in `scenarios/` and its name below.

mod scenarios;
mod simulated;
mod support;

/// The other scenarios may run on a control plane as old as 1.20, where the deadline of a Job without pods never starts.
mod on_the_simulator_alone {
    use crate::{scenarios::ends, support::rig::Rig};

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn pods_go_at_their_time_and_the_volume_stays() {
        Rig::simulated().await.run(ends::pods_go_at_their_time_and_the_volume_stays).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_job_ends_at_its_time_and_says_so() {
        Rig::simulated().await.run(ends::a_job_ends_at_its_time_and_says_so).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_end_is_moved_both_ways() {
        Rig::simulated().await.run(ends::the_end_is_moved_both_ways).await;
    }
}

macro_rules! scenarios {
    ($($file:ident::$name:ident),+ $(,)?) => {
        mod on_the_simulator {
            use crate::support::rig::Rig;

            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    Rig::simulated().await.run(crate::scenarios::$file::$name).await;
                }
            )+
        }

        mod on_a_real_control_plane {
            use crate::support::rig::Rig;

            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    if let Some(rig) = Rig::real(concat!("on_a_real_control_plane::", stringify!($name))).await {
                        rig.run(crate::scenarios::$file::$name).await;
                    }
                }
            )+
        }
    };
}

scenarios! {
    life::a_notebook_starts_and_becomes_ready,
    life::a_job_of_eight_starts_and_finishes,
    life::an_editor_starts_stops_and_starts_again,
    life::a_service_is_ready_when_every_replica_is,
    life::a_shell_is_reached_on_port_22,
    life::a_batch_job_runs_to_its_end,
    life::a_stop_keeps_the_volume_and_a_start_brings_the_lab_back,
    life::a_stopped_job_starts_anew,
    life::a_second_start_changes_nothing,
    life::a_restart_makes_new_pods_on_the_same_volume,
    life::a_job_gets_new_ranks_of_another_size,
    life::a_whole_class_starts_at_once,
    destroy::nothing_is_left_after_a_destroy,
    destroy::the_namespace_stays_while_another_lab_lives_in_it,
    destroy::a_namespace_that_somebody_else_made_is_left_alone,
    destroy::a_start_waits_for_a_namespace_that_is_ending,
    failures::an_image_that_cannot_be_pulled_fails_the_lab,
    failures::a_job_whose_rank_dies_fails_and_can_be_started_again,
    failures::a_batch_job_that_fails_is_tried_again_before_the_lab_fails,
    failures::a_deployment_over_the_quota_is_a_failure_that_heals,
    failures::over_the_quota_is_a_failure_that_heals_with_the_quota,
    failures::a_lab_that_finds_no_card_waits_and_does_not_fail,
    failures::what_the_cluster_refuses_is_said_with_its_reason,
    network::changes_are_reported,
    network::a_cluster_that_is_away_is_reported_and_so_is_its_return,
    network::a_connection_that_dies_silently_is_noticed,
    network::a_watched_lab_is_seen_as_the_server_has_it,
    network::version_and_nodes_are_read,
    reach::a_pod_that_was_replaced_is_not_reached,
    reach::the_right_that_reaching_a_pod_lacks_is_named,
}
