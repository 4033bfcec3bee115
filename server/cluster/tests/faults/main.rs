//! Faults of the cluster under the whole portal: labs start, stop and go while something is wrong, it ends, and within a minute everything is
//! as its owners want it, nothing is left over and nothing is held. Another fault: a rule and its name in `on_the_simulator`.

mod on_a_real_control_plane;
mod on_the_simulator;
mod portal;
#[path = "../support/volume.rs"]
mod volume;
