//! The `playdock` program.

// Memory moves between the threads of a server as fast as requests come.
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    playdock_host::cli::main()
}
