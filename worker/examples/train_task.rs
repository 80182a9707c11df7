//! The training process by itself: what `trainyard train-task` runs, for this crate's tests to start.

fn main() -> std::process::ExitCode {
    trainyard_worker::train_task::main()
}
