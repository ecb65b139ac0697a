//! Whether memory holds a batch, asked before any is taken.

use std::fs::read_to_string;

use infragym_core::Shape;
use pyo3::exceptions::PyMemoryError;
use pyo3::prelude::*;

/// Refuses a batch that memory does not hold: an allocation that fails would end the process, and
/// one that only seems to succeed has the system end it at the first step.
pub fn check_room(shape: &Shape, num_envs: usize) -> PyResult<()> {
    let needed = shape.store_bytes(num_envs);
    let room = available_bytes();
    match needed {
        Some(bytes) if room.is_none_or(|room| bytes <= room) => Ok(()),
        _ => {
            let needed = needed.map_or("more bytes than can be counted".into(), gigabytes);
            let room = room.map_or("less".into(), gigabytes);
            Err(PyMemoryError::new_err(format!(
                "num_envs is {num_envs}: they need {needed}, and {room} is free"
            )))
        }
    }
}

fn gigabytes(bytes: usize) -> String {
    format!("{:.2} GB", bytes as f64 / 1e9)
}

/// The memory that a process may still take, by the system; `None` where it does not say.
fn available_bytes() -> Option<usize> {
    let system = read_to_string("/proc/meminfo").ok()?;
    let line = system.lines().find(|l| l.starts_with("MemAvailable:"))?;
    let kilobytes: usize = line.split_whitespace().nth(1)?.parse().ok()?;
    Some((1024 * kilobytes).min(group_bytes().unwrap_or(usize::MAX)))
}

/// The rest of a container's limit.
fn group_bytes() -> Option<usize> {
    let number = |path: &str| read_to_string(path).ok()?.trim().parse::<usize>().ok();
    let limit = number("/sys/fs/cgroup/memory.max")?;
    Some(limit.saturating_sub(number("/sys/fs/cgroup/memory.current")?))
}
