//! `./effigy` and `./check` as a bare machine runs them: package tools, cargo and the compiled program are fakes
//! that write down how they were called.

#![expect(clippy::unwrap_used, reason = "a test fails where it must")]

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// The plain tools that every system has.
const TOOLS: [&str; 15] = [
    "bash", "env", "sed", "sort", "head", "find", "mkdir", "mv", "touch", "dirname", "readlink",
    "uname", "chmod", "cat", "rm",
];

/// A copy of the scripts on a machine of our making.
struct Machine {
    root: TempDir,
}

impl Machine {
    /// A Debian with Rust and every package, used by root.
    fn complete() -> Self {
        let machine = Self::bare();
        machine.fake("apt-get", "");
        machine.fake("dpkg-query", "echo 'install ok installed'");
        machine.fake("id", "echo 0");
        machine.fake_rust("1.99.0");
        machine
    }

    /// A machine with neither Rust nor a package manager.
    fn bare() -> Self {
        let own = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let machine = Self {
            root: tempfile::tempdir().unwrap(),
        };
        for folder in [
            "bin",
            "repo/scripts",
            "repo/crates",
            "repo/target/release",
            "home",
        ] {
            fs::create_dir_all(machine.path(folder)).unwrap();
        }
        for script in [
            "effigy",
            "check",
            "scripts/packages.sh",
            "Cargo.toml",
            "Cargo.lock",
        ] {
            fs::copy(own.join(script), machine.path("repo").join(script)).unwrap();
        }
        for tool in TOOLS {
            let place = ["/bin", "/usr/bin"]
                .iter()
                .map(|folder| Path::new(folder).join(tool));
            let place = place.into_iter().find(|place| place.exists()).unwrap();
            symlink(place, machine.path("bin").join(tool)).unwrap();
        }
        machine
    }

    fn path(&self, relative: &str) -> PathBuf {
        self.root.path().join(relative)
    }

    /// Puts a program on the PATH that logs its call and then runs `script`.
    fn fake(&self, name: &str, script: &str) {
        let path = self.path("bin").join(name);
        let log = self.path("log");
        let text = format!(
            "#!/bin/bash\necho \"{name} $*\" >>{}\n{script}\n",
            log.display()
        );
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// A cargo whose product prints its arguments.
    fn fake_rust(&self, version: &str) {
        self.fake(
            "rustc",
            &format!("echo 'rustc {version} (0123 2026-01-01)'"),
        );
        self.fake(
            "cargo",
            "while [ \"$1\" != --target-dir ]; do shift; done\nmkdir -p \"$2/release\"\n\
             printf '#!/bin/bash\\necho ran \"$@\"\\n' >\"$2/release/effigy\"\n\
             chmod +x \"$2/release/effigy\"",
        );
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.run_script("repo/effigy", arguments)
    }

    fn run_script(&self, script: &str, arguments: &[&str]) -> Output {
        Command::new(self.path(script))
            .args(arguments)
            .env_clear()
            .env("PATH", self.path("bin"))
            .env("HOME", self.path("home"))
            .env(
                "EFFIGY_GPU",
                if arguments.contains(&"--device") {
                    ""
                } else {
                    "0"
                },
            )
            .output()
            .unwrap()
    }

    /// The calls of fakes since the last time, one a line.
    fn calls(&self) -> String {
        let path = self.path("log");
        let log = fs::read_to_string(&path).unwrap_or_default();
        fs::write(&path, "").unwrap();
        log
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[track_caller]
fn assert_ran(output: &Output, expected: &str) {
    assert!(output.status.success(), "{}", stderr(output));
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
}

#[test]
fn first_run_builds_and_passes_arguments_on() {
    let machine = Machine::complete();
    let output = machine.run(&["faces", "my clip.mp4"]);
    assert_ran(&output, "ran faces my clip.mp4\n");
    assert!(
        stderr(&output).contains("building for the CPU"),
        "{}",
        stderr(&output)
    );
    let calls = machine.calls();
    assert!(calls.contains("cargo build --quiet --release"), "{calls}");
    assert!(!calls.contains("apt-get install"), "{calls}");
}

#[test]
fn second_run_calls_nothing_but_the_program() {
    let machine = Machine::complete();
    machine.run(&["devices"]);
    machine.calls();
    let output = machine.run(&["devices"]);
    assert_ran(&output, "ran devices\n");
    assert_eq!(
        (machine.calls().as_str(), stderr(&output).as_str()),
        ("", "")
    );
}

#[test]
fn changed_source_is_built_again() {
    let machine = Machine::complete();
    machine.run(&["devices"]);
    machine.calls();
    fs::write(machine.path("repo/crates/new.rs"), "//! New.").unwrap();
    machine.run(&["devices"]);
    assert!(machine.calls().contains("cargo build"));
}

#[test]
fn failed_build_is_tried_again_and_nothing_runs() {
    let machine = Machine::complete();
    machine.fake("cargo", "echo 'error: no' >&2; exit 101");
    for _ in 0..2 {
        let output = machine.run(&["devices"]);
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(output.stdout, b"");
        assert!(
            stderr(&output).contains("the build failed"),
            "{}",
            stderr(&output)
        );
        assert!(machine.calls().contains("cargo build"));
    }
}

#[test]
fn root_gets_missing_packages_installed_without_sudo() {
    let machine = Machine::complete();
    machine.fake(
        "dpkg-query",
        "[ \"${@: -1}\" = gcc ] && echo 'install ok installed'",
    );
    let output = machine.run(&["devices"]);
    assert_ran(&output, "ran devices\n");
    assert!(stderr(&output).contains("installing the system packages libc6-dev pkg-config"));
    let calls = machine.calls();
    let install = "apt-get install -y -qq --no-install-recommends libc6-dev pkg-config";
    assert!(
        calls.contains("apt-get update") && calls.contains(install),
        "{calls}"
    );
    assert!(!calls.contains("gcc "), "{calls}");
}

#[test]
fn others_are_asked_through_sudo() {
    let machine = Machine::complete();
    machine.fake("id", "echo 1000");
    machine.fake("sudo", "exec \"$@\"");
    machine.fake("dpkg-query", "echo 'unknown ok not-installed'");
    let output = machine.run(&["devices"]);
    assert_ran(&output, "ran devices\n");
    assert!(stderr(&output).contains("sudo may ask for your password"));
    let calls = machine.calls();
    assert!(
        calls.contains("sudo env DEBIAN_FRONTEND=noninteractive apt-get install"),
        "{calls}"
    );
}

#[test]
fn without_sudo_the_packages_are_named() {
    let machine = Machine::complete();
    machine.fake("id", "echo 1000");
    machine.fake("dpkg-query", "exit 1");
    let output = machine.run(&["devices"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("as root, run: apt-get update && apt-get install gcc"));
    assert!(!machine.calls().contains("cargo build"));
}

#[test]
fn failed_installation_stops() {
    let machine = Machine::complete();
    machine.fake("dpkg-query", "exit 1");
    machine.fake("apt-get", "exit 100");
    let output = machine.run(&["devices"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("apt-get could not install: gcc"),
        "{}",
        stderr(&output)
    );
    assert!(!machine.calls().contains("cargo build"));
}

#[test]
fn other_systems_get_the_packages_named() {
    let machine = Machine::bare();
    machine.fake_rust("1.99.0");
    machine.fake("pkg-config", "exit 1");
    let output = machine.run(&["devices"]);
    assert_eq!(output.status.code(), Some(1));
    let said = stderr(&output);
    for part in [
        "a C compiler",
        "libavcodec with its headers",
        "Fedora: dnf",
        "macOS:",
    ] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
    assert!(!machine.calls().contains("cargo build"));
}

#[test]
fn other_systems_with_the_packages_build() {
    let machine = Machine::bare();
    machine.fake_rust("1.99.0");
    for tool in ["pkg-config", "cc", "llvm-config"] {
        machine.fake(tool, "");
    }
    assert_ran(&machine.run(&["devices"]), "ran devices\n");
}

#[test]
fn missing_or_old_rust_is_explained() {
    let machine = Machine::bare();
    let output = machine.run(&["devices"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("https://rustup.rs"),
        "{}",
        stderr(&output)
    );

    machine.fake_rust("1.63.0");
    let output = machine.run(&["devices"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("Rust 1.63.0 is too old"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn rust_of_rustup_is_found_outside_the_path() {
    let machine = Machine::complete();
    let cargo_bin = machine.path("home/.cargo/bin");
    fs::create_dir_all(&cargo_bin).unwrap();
    for tool in ["cargo", "rustc"] {
        fs::rename(machine.path("bin").join(tool), cargo_bin.join(tool)).unwrap();
    }
    assert_ran(&machine.run(&["devices"]), "ran devices\n");
}

#[test]
fn gpu_is_built_apart_and_only_when_asked() {
    let machine = Machine::complete();
    let output = machine.run(&["faces", "--device", "gpu:0"]);
    assert_ran(&output, "ran faces --device gpu:0\n");
    let calls = machine.calls();
    assert!(calls.contains("target/gpu --features gpu"), "{calls}");
    assert!(calls.contains("mesa-vulkan-drivers"), "{calls}");

    machine.run(&["faces", "--device", "cpu"]);
    let calls = machine.calls();
    assert!(
        calls.contains("cargo build") && !calls.contains("gpu"),
        "{calls}"
    );
}

/// A venv whose pip installs a typos that says `version`.
fn fake_python(machine: &Machine, version: &str) {
    let pip = format!(
        "#!/bin/bash\nprintf '#!/bin/bash\\necho typos-cli {version}\\n' >\"${{0%/*}}/typos\"\n\
         chmod +x \"${{0%/*}}/typos\"\n"
    );
    let source = machine.path("pip");
    fs::write(&source, pip).unwrap();
    fs::set_permissions(&source, fs::Permissions::from_mode(0o755)).unwrap();
    let install = format!(
        "mkdir -p \"$3/bin\" && cat {} >\"$3/bin/pip\"",
        source.display()
    );
    machine.fake("python3", &format!("{install} && chmod +x \"$3/bin/pip\""));
}

#[test]
fn check_installs_its_tools_once_and_passes_steps_on() {
    let machine = Machine::complete();
    machine.fake("cargo", "");
    fake_python(&machine, "1.47.0");
    let output = machine.run_script("repo/check", &["tidy", "fmt"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let calls = machine.calls();
    assert!(calls.contains("python3 -m venv"), "{calls}");
    assert!(calls.ends_with("cargo xtask check tidy fmt\n"), "{calls}");
    machine.run_script("repo/check", &[]);
    let calls = machine.calls();
    assert!(
        !calls.contains("-m venv") && calls.ends_with("cargo xtask check\n"),
        "{calls}"
    );
}

#[test]
fn check_explains_a_missing_part_of_rust() {
    let machine = Machine::complete();
    machine.fake("cargo", "[ \"$1\" != clippy ]");
    let output = machine.run_script("repo/check", &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("rustup component add"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn check_fails_where_typos_cannot_be_had() {
    let machine = Machine::complete();
    machine.fake("cargo", "");
    machine.fake("python3", "exit 1");
    let output = machine.run_script("repo/check", &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("could not be installed from PyPI"));
}
