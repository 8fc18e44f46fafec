//! Where numbers come from, and which of them matter: precision tracking.
//!
//! Two states may be alike for all that follows although a number in them differs, as long as no check
//! depends on that number. Linux finds out afterwards, walking back over the instructions of the path
//! (`mark_chain_precision` in `kernel/bpf/verifier.c`). Here every number that an instruction makes gets a
//! [`Node`] that names the numbers it was made from, and copies share the node; when a check depends on a
//! number, its node and all it came from are marked. The marks are as Linux's or more, never fewer:
//!
//! * a copy, a spill or a fill of the whole value shares the node;
//! * any other result has a new node with its operands, and so has a number that was compared with another
//!   register, because each side's range then comes from both;
//! * whoever decides something by a number (a branch whose outcome is certain, the offset of a pointer, a size,
//!   a null argument, …) calls [`Provenance::mark`].
//!
//! Since equal nodes are equal values, nodes also are Linux's scalar ids: what a comparison tells of one register
//! holds for all that share its node.

/// A number's place in the graph. [`Node::NONE`] is a number nothing can depend on, or no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Node(u32);

impl Node {
    /// No node.
    pub(crate) const NONE: Self = Self(0);
}

/// The graph of one verification.
#[derive(Debug)]
pub(crate) struct Provenance {
    /// The numbers that each was made from.
    operands: Vec<[Node; 2]>,
    /// A check depends on it.
    marked: Vec<bool>,
    /// Scratch of [`mark`](Self::mark).
    pending: Vec<Node>,
}

impl Provenance {
    pub(crate) fn new() -> Self {
        Self {
            operands: vec![[Node::NONE; 2]],
            marked: vec![true],
            pending: Vec::new(),
        }
    }

    /// A number that comes from nowhere: a constant, or a value from memory or a call.
    pub(crate) fn fresh(&mut self) -> Node {
        self.made_from(Node::NONE, Node::NONE)
    }

    /// A number made from these.
    pub(crate) fn made_from(&mut self, left: Node, right: Node) -> Node {
        // The work limit keeps this far below 2^32.
        let node = Node(self.operands.len() as u32);
        self.operands.push([left, right]);
        self.marked.push(false);
        node
    }

    /// A check depends on this number.
    pub(crate) fn mark(&mut self, node: Node) {
        self.pending.push(node);
        while let Some(node) = self.pending.pop() {
            let marked = &mut self.marked[node.0 as usize];
            if !*marked {
                *marked = true;
                self.pending.extend(self.operands[node.0 as usize]);
            }
        }
    }

    /// Whether a check depends on this number.
    pub(crate) fn is_marked(&self, node: Node) -> bool {
        self.marked[node.0 as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::{Node, Provenance};

    #[test]
    fn marks_go_up_and_not_down() {
        let mut graph = Provenance::new();
        let (a, b) = (graph.fresh(), graph.fresh());
        let sum = graph.made_from(a, b);
        let more = graph.made_from(sum, Node::NONE);
        graph.mark(sum);
        assert!(graph.is_marked(a) && graph.is_marked(b) && graph.is_marked(sum));
        assert!(!graph.is_marked(more));
    }
}
