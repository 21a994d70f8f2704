//! The `playdock` program.

fn main() -> std::process::ExitCode {
    playdock_host::cli::main()
}
