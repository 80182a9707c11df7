//! The training process of `trainyard train-task`, for the tests.

fn main() -> std::process::ExitCode {
    trainyard_worker::train_task::main()
}
