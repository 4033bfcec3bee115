//! One table of what a Kubernetes API does, shown by stock kubectl (`cases/*.txt`) and by kube (`with_kube`), on the simulator and on the real
//! control plane that `LECTERN_TEST_KUBECONFIG` names: the same words on both. Another case: a file in `cases/` and its name below, or a
//! function in `with_kube`. `LECTERN_CONFORMANCE_RECORD=1` writes what the real one says into the files.

mod clusters;
#[path = "../common/skip.rs"]
mod skip;
mod transcript;
mod with_kube;

macro_rules! on_both {
    (kubectl: $($case:ident),+; kube: $($function:ident),+ $(,)?) => {
        mod on_the_simulator {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                crate::transcript::shows(&crate::clusters::simulated().await, stringify!($case)).await;
            })+
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $function() {
                crate::with_kube::$function(&crate::clusters::simulated().await).await;
            })+
        }

        mod on_a_real_control_plane {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                if let Some(cluster) = crate::clusters::real(concat!("on_a_real_control_plane::", stringify!($case))).await {
                    crate::transcript::shows(&cluster, stringify!($case)).await;
                }
            })+
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $function() {
                if let Some(cluster) = crate::clusters::real(concat!("on_a_real_control_plane::", stringify!($function))).await {
                    crate::with_kube::$function(&cluster).await;
                }
            })+
        }

        #[test]
        fn every_case_has_its_test() {
            let mut listed: Vec<_> = [$(stringify!($case)),+].map(str::to_owned).into();
            listed.sort();
            assert_eq!(crate::transcript::all(), listed);
        }
    };
}

on_both! {
    kubectl:
        access, applying, conflicts, creating, deleting, deployments, discovery, dry_runs, jobs, labelling, leases, namespaces, nodes, patching,
        quotas, scaling, selecting, server_side_applying, services, statefulsets, waiting;
    kube:
        a_list_comes_in_pages_of_one_moment,
        a_page_that_nobody_can_continue_is_refused,
        appliers_own_fields_and_entries_of_lists_by_key,
        a_stale_version_conflicts_whatever_the_change,
        a_watch_goes_on_from_a_version_and_from_a_list,
        status_and_the_rest_are_written_apart,
        a_collection_goes_by_its_selector,
        what_the_portal_needs_is_discovered,
        a_lease_is_taken_by_one_of_two,
}
