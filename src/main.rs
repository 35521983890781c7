//! The binary: hands the arguments to the face and exits with its code.
fn main() -> std::process::ExitCode {
    onrecord::face::cli::main()
}
