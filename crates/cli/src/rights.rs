//! A sandbox: rights that reading files of others does not need, given back before the first of them
//! is opened.
//!
//! A decoder that a hostile file takes over can then neither write where the command has nothing to
//! write, nor send what it read anywhere, nor reach into other programs. Where the system knows neither
//! Landlock (Linux 5.13 and later) nor filters of system calls, everything works as before, without
//! this. What it does not stop: see `docs/decisions/051-work-under-watch.md`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access as _, AccessFs, BitFlags, CompatLevel, Compatible as _, Ruleset, RulesetAttr as _,
    RulesetCreatedAttr as _, RulesetError, RulesetStatus, Scope, path_beneath_rules,
};
use nix::libc;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, apply_filter,
};

/// What this process still has to do.
#[derive(Clone, Debug)]
pub(crate) struct Needs {
    /// File or folder of results; where it is not there yet, the nearest folder above is written.
    pub(crate) results: Option<PathBuf>,
    /// Whether it starts other programs.
    pub(crate) starts_programs: bool,
}

/// The newest edition whose rights are asked for; older systems give what they know.
const LANDLOCK_ABI: ABI = ABI::V6;
/// System calls that no reading needs: into other programs, into the system, around this filter.
const DENIED_CALLS: [libc::c_long; 25] = [
    libc::SYS_socket,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_getfd,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_mount,
    libc::SYS_move_mount,
    libc::SYS_fsopen,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_kexec_load,
    libc::SYS_open_by_handle_at,
    libc::SYS_truncate,
    libc::SYS_setxattr,
    libc::SYS_fchmodat,
    libc::SYS_fchownat,
];
/// Requests to a terminal that type into the shell of whoever started us.
const TYPING: [libc::Ioctl; 2] = [libc::TIOCSTI, libc::TIOCLINUX];

impl Needs {
    /// What it takes to read one file and answer.
    pub(crate) fn to_read() -> Self {
        Self {
            results: None,
            starts_programs: false,
        }
    }

    /// What it takes to judge files on the processor: results, and a process apart for each file.
    pub(crate) fn to_judge(results: Option<&Path>) -> Self {
        Self {
            results: results.map(Path::to_owned),
            starts_programs: true,
        }
    }
}

/// Gives back what `needs` does not name, for this process and all that it starts, for good.
pub(crate) fn give_back(needs: &Needs) {
    // An old system is no reason to judge nothing; limits of time and memory hold in any case.
    if let Err(error) = bound_files(needs) {
        eprintln!("the right to write everywhere could not be given back: {error}");
    }
    if let Err(error) = bound_calls(needs) {
        eprintln!("the right to use the network could not be given back: {error}");
    }
}

fn bound_files(needs: &Needs) -> Result<RulesetStatus, RulesetError> {
    let writing = AccessFs::from_write(LANDLOCK_ABI);
    let programs = if needs.starts_programs {
        BitFlags::EMPTY
    } else {
        AccessFs::Execute.into()
    };
    let results = needs.results.iter().map(|results| nearest(results));
    let writable = results.chain([PathBuf::from("/dev/null")]);
    let restricted = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(writing | programs)?
        .scope(Scope::from_all(LANDLOCK_ABI))?
        .create()?
        .add_rules(path_beneath_rules(writable, writing))?
        .restrict_self()?;
    Ok(restricted.ruleset)
}

/// The folder itself, or the nearest above that is there.
fn nearest(results: &Path) -> PathBuf {
    let path = std::path::absolute(results).unwrap_or_else(|_| results.to_owned());
    let there = path.ancestors().find(|folder| folder.is_dir());
    there.unwrap_or(&path).to_owned()
}

fn bound_calls(needs: &Needs) -> Result<(), seccompiler::Error> {
    let always = |&call: &libc::c_long| (call, Vec::new());
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = DENIED_CALLS.iter().map(always).collect();
    if !needs.starts_programs {
        rules.extend([libc::SYS_execve, libc::SYS_execveat].iter().map(always));
    }
    let typing = TYPING.map(|request| {
        let request = SeccompCondition::new(1, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, request)?;
        SeccompRule::new(vec![request])
    });
    let typing: Result<Vec<SeccompRule>, _> = typing.into_iter().collect();
    rules.insert(libc::SYS_ioctl, typing?);
    let refusal = SeccompAction::Errno(libc::EPERM as u32);
    let here = TargetArch::try_from(std::env::consts::ARCH)?;
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, refusal, here)?;
    let program: BpfProgram = filter.try_into()?;
    apply_filter(&program)
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;
    use std::net::UdpSocket;
    use std::os::unix::net::UnixDatagram;
    use std::process::Command;
    use std::{fs, thread};

    use super::*;

    /// Tries everything in a thread of its own, which alone loses its rights: whether a file is written
    /// in `inside`, whether one is written in `outside`, whether sockets open, whether a program runs.
    fn tried(needs: Needs, inside: &Path, outside: &Path) -> [bool; 5] {
        let [inside, outside] = [inside, outside].map(|folder| folder.join("a.txt"));
        let tries = thread::spawn(move || {
            give_back(&needs);
            let is_written = |path: &Path| match fs::write(path, "a") {
                Ok(()) => true,
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
                    false
                }
            };
            [
                is_written(&inside),
                is_written(&outside),
                UdpSocket::bind("127.0.0.1:0").is_ok(),
                UnixDatagram::unbound().is_ok(),
                Command::new("true").status().is_ok(),
            ]
        });
        tries.join().unwrap()
    }

    #[test]
    fn what_is_not_needed_is_refused_and_the_rest_goes_on() {
        let bounds = thread::spawn(|| bound_files(&Needs::to_read()).unwrap());
        if bounds.join().unwrap() == RulesetStatus::NotEnforced {
            eprintln!("skipped: what_is_not_needed_is_refused: this system has no Landlock");
            return;
        }
        let here = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target"));
        let folder = |name: &str| {
            let folder = here.join(format!("rights-{name}-{}", std::process::id()));
            fs::create_dir_all(&folder).unwrap();
            folder
        };
        let (inside, outside) = (folder("in"), folder("out"));
        for results in [inside.clone(), inside.join("not there yet")] {
            let judging = Needs::to_judge(Some(&results));
            let expected = [true, false, false, false, true];
            assert_eq!(tried(judging, &inside, &outside), expected, "{results:?}");
        }
        assert_eq!(
            tried(Needs::to_judge(None), &inside, &outside)[..2],
            [false; 2]
        );
        assert_eq!(tried(Needs::to_read(), &inside, &outside), [false; 5]);
        fs::remove_dir_all(&inside).unwrap();
        fs::remove_dir_all(&outside).unwrap();
    }
}
