//! Ports: who listens, whether one is free.
//!
//! Linux: the kernel tells the inode of each listening socket (`sock_diag`, else `/proc/net/tcp{,6}`), and
//! `/proc/<pid>/fd` the process that has it open. This is done in-process: the tools that others call for it (`lsof`,
//! `ss`) are often not installed. Elsewhere only the free-port test works and holders stay unnamed.

#[cfg(target_os = "linux")]
mod diag;

use std::collections::HashMap;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use super::process::Pid;

/// A TCP port, 1 to 65535.
pub type Port = std::num::NonZeroU16;

/// The ports that this process listens on. Empty if it has none or we may not look.
pub fn listening_ports(pid: Pid) -> Vec<Port> {
    let sockets = listening_sockets();
    let mut ports: Vec<Port> = socket_inodes(pid).filter_map(|inode| sockets.get(&inode).copied()).collect();
    ports.sort_unstable();
    ports.dedup();
    ports
}

/// Whether this process listens on that port. Made to be asked often: it looks at the process only once anybody listens
/// there.
pub fn listens_on(pid: Pid, port: Port) -> bool {
    let mut sockets = listening_sockets();
    sockets.retain(|_, p| *p == port);
    !sockets.is_empty() && socket_inodes(pid).any(|inode| sockets.contains_key(&inode))
}

/// What is known about who listens on a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PortUse {
    /// Nobody.
    Free,
    /// This process.
    Process(Pid),
    /// Somebody whom we may not see (another user, another container).
    Unnamed,
}

/// Looks who listens on `port` on any local address.
pub fn port_use(port: Port) -> PortUse {
    let inodes: Vec<u64> =
        listening_sockets().into_iter().filter(|(_, p)| *p == port).map(|(inode, _)| inode).collect();
    if inodes.is_empty() {
        return if can_bind(port) { PortUse::Free } else { PortUse::Unnamed };
    }
    let Ok(processes) = fs::read_dir("/proc") else {
        return PortUse::Unnamed;
    };
    let pids = processes.flatten().filter_map(|e| Pid::parse(e.file_name().to_str()?));
    for pid in pids {
        if socket_inodes(pid).any(|inode| inodes.contains(&inode)) {
            return PortUse::Process(pid);
        }
    }
    PortUse::Unnamed
}

/// The first port from `from` on that nobody listens on.
pub fn free_port_from(from: Port) -> Option<Port> {
    (from.get()..=u16::MAX).filter_map(Port::new).find(|p| can_bind(*p))
}

fn can_bind(port: Port) -> bool {
    TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port.get()))).is_ok()
}

fn socket_inodes(pid: Pid) -> impl Iterator<Item = u64> {
    let links = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    links.filter_map(|entry| {
        let target = fs::read_link(entry.path()).ok()?;
        let inode = target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?;
        inode.parse().ok()
    })
}

fn listening_sockets() -> HashMap<u64, Port> {
    #[cfg(target_os = "linux")]
    match diag::listening() {
        Ok(found) => return found.into_iter().collect(),
        // A container may forbid the question.
        Err(error) => tracing::debug!(%error, "sock_diag does not answer"),
    }
    sockets_in_proc()
}

// Rows of proc(5) net/tcp: `sl local_address rem_address st … inode`; state 0A is LISTEN, the port is hexadecimal.
fn sockets_in_proc() -> HashMap<u64, Port> {
    let mut found = HashMap::new();
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        let Ok(text) = fs::read_to_string(table) else {
            continue;
        };
        for line in text.lines().skip(1) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            if fields.get(3) != Some(&"0A") {
                continue;
            }
            let port = fields.get(1).and_then(|a| a.rsplit(':').next());
            let port = port.and_then(|p| u16::from_str_radix(p, 16).ok()).and_then(Port::new);
            let inode = fields.get(9).and_then(|i| i.parse().ok());
            if let (Some(port), Some(inode)) = (port, inode) {
                found.insert(inode, port);
            }
        }
    }
    found
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn our_own_listener_is_found_by_process_and_by_port() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = Port::new(listener.local_addr().unwrap().port()).unwrap();
        assert!(listening_ports(Pid::own()).contains(&port));
        assert_eq!(port_use(port), PortUse::Process(Pid::own()));
        let next = free_port_from(port).unwrap();
        assert_ne!(next, port);
        drop(listener);
        // A child that another test forks in this moment holds a copy until it has executed its program.
        let deadline = crate::sys::clock::Deadline::after(std::time::Duration::from_secs(5));
        while port_use(port) != PortUse::Free {
            assert!(!deadline.has_passed(), "still {:?}", port_use(port));
        }
    }
}
