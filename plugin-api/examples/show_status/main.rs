//! A whole small command, which says of each incident whether it is closed: `cargo run --example
//! show_status` runs the example that it documents itself with.

mod command;

fn main() -> Result<(), playdock_plugin_api::testing::conformance::Failures> {
    playdock_plugin_api::testing::check_examples::<command::ShowStatus>()?;
    println!("The examples of ShowStatus hold.");
    Ok(())
}
