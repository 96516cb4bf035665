//! The plan as a drawing: layers from left to right, drawn on the server.
//!
//! Pure (after Sugiyama, Tagawa and Toda, 1981): each node lies behind everything it comes after, long
//! edges get a place of their own in every layer they cross, and the order within a layer is improved by
//! looking at the neighbours' places a few times.

use std::fmt::Write as _;

use maud::{Markup, html};

use super::super::{icon::Icon, part};

/// Size of a node and of what lies between, in pixels.
const WIDTH: u32 = 212;
const HEIGHT: u32 = 54;
const ACROSS: u32 = 64;
const BETWEEN: u32 = 22;

/// Height of an edge that passes through a layer.
const PASSAGE: u32 = 18;

/// Looks at the neighbours' places.
const SWEEPS: usize = 6;

/// What one step of the plan shows.
#[derive(Debug, Clone, Default)]
pub struct Node {
    /// The step's name.
    pub name: String,
    /// Who does it, how often, for how long.
    pub detail: String,
    /// State as one word; `planned` before it begins.
    pub state: String,
    /// Steps that it comes after.
    pub after: Vec<String>,
    /// Items of a fan-out or turns of a crew; 0 for a single step.
    pub items: u64,
    /// A person does it.
    pub is_person: bool,
    /// Where a click leads.
    pub address: String,
}

/// One place in a layer: a node, or the passage of a long edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    Node(usize),
    Passage { edge: usize },
}

/// From, to, and the points between.
type Edge = (usize, usize, Vec<(u32, u32)>);

/// Where everything lies.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Layout {
    /// Left and top of each node.
    nodes: Vec<(u32, u32)>,
    /// From, to, and the points between.
    edges: Vec<Edge>,
    width: u32,
    height: u32,
}

/// Places nodes; edges that close a circle or name an unknown node are left out.
pub(super) fn layout(nodes: &[Node]) -> Layout {
    let at = |name: &str| nodes.iter().position(|node| node.name == name);
    let mut edges = Vec::new();
    for (to, node) in nodes.iter().enumerate() {
        for from in node.after.iter().filter_map(|name| at(name)) {
            edges.push((from, to));
        }
    }
    let layer_of = layers(nodes.len(), &mut edges);
    let mut layers = slots(&layer_of, &edges);
    for sweep in 0..SWEEPS {
        order(&mut layers, &edges, sweep % 2 == 0);
    }
    places(&layers, &edges, nodes.len())
}

/// The longest way to each node, by repeated relaxation; edges that would never settle are dropped.
fn layers(count: usize, edges: &mut Vec<(usize, usize)>) -> Vec<usize> {
    let mut layer_of = vec![0_usize; count];
    for _ in 0..=count {
        let mut has_moved = false;
        for &(from, to) in edges.iter() {
            let least = layer_of.get(from).map_or(0, |layer| layer + 1);
            if let Some(layer) = layer_of.get_mut(to)
                && *layer < least
            {
                (*layer, has_moved) = (least, true);
            }
        }
        if !has_moved {
            return layer_of;
        }
    }
    // A circle: without the edges that lead backwards in the order of declaration there is none.
    edges.retain(|(from, to)| from < to);
    layers(count, edges)
}

fn slots(layer_of: &[usize], edges: &[(usize, usize)]) -> Vec<Vec<Slot>> {
    let depth = layer_of.iter().max().map_or(0, |layer| layer + 1);
    let mut layers = vec![Vec::new(); depth];
    for (node, layer) in layer_of.iter().enumerate() {
        if let Some(slots) = layers.get_mut(*layer) {
            slots.push(Slot::Node(node));
        }
    }
    for (edge, (from, to)) in edges.iter().enumerate() {
        let (Some(first), Some(last)) = (layer_of.get(*from), layer_of.get(*to)) else { continue };
        for slots in layers.iter_mut().take(*last).skip(first + 1) {
            slots.push(Slot::Passage { edge });
        }
    }
    layers
}

/// Sorts each layer by the mean place of its neighbours in the layer before (or behind).
fn order(layers: &mut [Vec<Slot>], edges: &[(usize, usize)], is_forward: bool) {
    let count = layers.len();
    for step in 1..count {
        let (here, there) =
            if is_forward { (step, step - 1) } else { (count - 1 - step, count - step) };
        let beside = layers.get(there).cloned().unwrap_or_default();
        let Some(slots) = layers.get_mut(here) else { continue };
        let mut keyed: Vec<(f64, Slot)> = slots
            .iter()
            .enumerate()
            .map(|(index, slot)| (mean(*slot, &beside, edges).unwrap_or(index as f64), *slot))
            .collect();
        keyed.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        *slots = keyed.into_iter().map(|(_, slot)| slot).collect();
    }
}

fn mean(slot: Slot, beside: &[Slot], edges: &[(usize, usize)]) -> Option<f64> {
    let touches = |other: &Slot| match (slot, *other) {
        (Slot::Node(a), Slot::Node(b)) => edges.contains(&(a, b)) || edges.contains(&(b, a)),
        (Slot::Node(node), Slot::Passage { edge }) | (Slot::Passage { edge }, Slot::Node(node)) => {
            edges.get(edge).is_some_and(|(from, to)| *from == node || *to == node)
        }
        (Slot::Passage { edge: a }, Slot::Passage { edge: b }) => a == b,
    };
    let places: Vec<usize> =
        (0..beside.len()).filter(|at| beside.get(*at).is_some_and(touches)).collect();
    let sum: usize = places.iter().sum();
    (!places.is_empty()).then(|| sum as f64 / places.len() as f64)
}

fn slot_height(slot: &Slot) -> u32 {
    match slot {
        Slot::Node(_) => HEIGHT,
        Slot::Passage { .. } => PASSAGE,
    }
}

fn places(layers: &[Vec<Slot>], edges: &[(usize, usize)], count: usize) -> Layout {
    let tall = |slots: &Vec<Slot>| {
        slots.iter().map(|slot| slot_height(slot) + BETWEEN).sum::<u32>().saturating_sub(BETWEEN)
    };
    let height = layers.iter().map(tall).max().unwrap_or(0);
    let mut nodes = vec![(0, 0); count];
    let mut passages: Vec<Vec<(u32, u32)>> = vec![Vec::new(); edges.len()];
    for (layer, slots) in layers.iter().enumerate() {
        let x = u32::try_from(layer).unwrap_or(0) * (WIDTH + ACROSS);
        let mut y = (height - tall(slots)) / 2;
        for slot in slots {
            match *slot {
                Slot::Node(node) => {
                    if let Some(place) = nodes.get_mut(node) {
                        *place = (x, y);
                    }
                }
                Slot::Passage { edge } => {
                    if let Some(points) = passages.get_mut(edge) {
                        points.extend([(x, y + PASSAGE / 2), (x + WIDTH, y + PASSAGE / 2)]);
                    }
                }
            }
            y += slot_height(slot) + BETWEEN;
        }
    }
    let depth = u32::try_from(layers.len()).unwrap_or(0);
    let edges =
        edges.iter().zip(passages).map(|(&(from, to), points)| (from, to, points)).collect();
    let width = (depth * (WIDTH + ACROSS)).saturating_sub(ACROSS);
    Layout { nodes, edges, width, height }
}

/// The drawing, and what it is called; `selected` is the step whose details are shown.
pub(super) fn draw(nodes: &[Node], selected: Option<&str>, label: &str) -> Markup {
    let layout = layout(nodes);
    let is_done = |index: usize| nodes.get(index).is_some_and(|node| node.state == "completed");
    let is_off = |index: usize| nodes.get(index).is_some_and(|node| is_left_out(&node.state));
    html! {
        div.graph tabindex="0" role="region" aria-label=(label) {
            svg width=(layout.width + 8) height=(layout.height + 12) viewBox={ "-4 -4 " (layout.width + 8) " " (layout.height + 12) } role="group" aria-label=(label) {
                @for (from, to, points) in &layout.edges {
                    path.edge.done[is_done(*from) && is_done(*to)].off[is_off(*from) || is_off(*to)] d=(curve(&layout, *from, *to, points)) {}
                }
                @for (node, place) in nodes.iter().zip(&layout.nodes) { (one(node, *place, selected)) }
            }
        }
    }
}

fn is_left_out(state: &str) -> bool {
    matches!(state, "planned" | "skipped" | "cancelled")
}

fn one(node: &Node, (x, y): (u32, u32), selected: Option<&str>) -> Markup {
    let (tone, icon) = part::look(&node.state);
    let icon = if node.is_person { Icon::Person } else { icon };
    let is_on = selected == Some(node.name.as_str());
    html! {
        a href=[(!node.address.is_empty()).then_some(&node.address)] {
            title { (node.name) ", " (node.state) }
            g.node.(tone.class()).on[is_on].off[is_left_out(&node.state)] {
                @if node.items > 1 {
                    rect.behind x=(x + 6) y=(y + 6) width=(WIDTH) height=(HEIGHT) rx="9" {}
                    rect.behind x=(x + 3) y=(y + 3) width=(WIDTH) height=(HEIGHT) rx="9" {}
                }
                rect.box x=(x) y=(y) width=(WIDTH) height=(HEIGHT) rx="9" {}
                rect.state x=(x + 1) y=(y + 10) width="3" height=(HEIGHT - 20) rx="1.5" {}
                (icon.place(x + 14, y + 12))
                text x=(x + 36) y=(y + 24) { (clip(&node.name, 20)) }
                text.sub x=(x + 36) y=(y + 41) { (clip(&node.detail, 30)) }
                @if node.items > 1 { text.sub.end x=(x + WIDTH - 11) y=(y + 24) { "×" @if node.state == "planned" { "n" } @else { (node.items) } } }
            }
        }
    }
}

fn clip(text: &str, chars: usize) -> String {
    if text.chars().count() <= chars {
        return text.to_owned();
    }
    let kept: String = text.chars().take(chars.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// From the right edge of one node through the passages to the left edge of the other.
fn curve(layout: &Layout, from: usize, to: usize, points: &[(u32, u32)]) -> String {
    let place = |node: usize| layout.nodes.get(node).copied().unwrap_or_default();
    let ((x, y), (to_x, to_y)) = (place(from), place(to));
    let mut at = (x + WIDTH, y + HEIGHT / 2);
    let mut path = format!("M{} {}", at.0, at.1);
    let end = [(to_x, to_y + HEIGHT / 2)];
    for (index, &(x, y)) in points.iter().chain(&end).enumerate() {
        let is_passage = index % 2 == 1;
        let _infallible = if is_passage || y == at.1 {
            write!(path, "L{x} {y}")
        } else {
            let half = x.saturating_sub(at.0) / 2;
            write!(path, "C{} {} {} {y} {x} {y}", at.0 + half, at.1, x.saturating_sub(half))
        };
        at = (x, y);
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str, after: &[&str]) -> Node {
        let after = after.iter().map(|name| (*name).to_owned()).collect();
        Node { name: name.to_owned(), state: "planned".to_owned(), after, ..Node::default() }
    }

    fn layer(layout: &Layout, node: usize) -> u32 {
        layout.nodes[node].0 / (WIDTH + ACROSS)
    }

    #[test]
    fn every_step_lies_behind_what_it_comes_after() {
        let nodes =
            [node("a", &[]), node("b", &["a"]), node("c", &["a"]), node("d", &["b", "c", "a"])];
        let layout = layout(&nodes);
        assert_eq!([0, 1, 2, 3].map(|index| layer(&layout, index)), [0, 1, 1, 2]);
        assert_ne!(layout.nodes[1].1, layout.nodes[2].1, "two of one layer lie apart");
        let (_, _, points) =
            layout.edges.iter().find(|(from, to, _)| (*from, *to) == (0, 3)).unwrap();
        assert_eq!(points.len(), 2, "a long edge has a passage");
    }

    #[test]
    fn nothing_overlaps() {
        let names: Vec<String> = (0..12).map(|index| format!("s{index}")).collect();
        let nodes: Vec<Node> = (0..12)
            .map(|index: usize| {
                let after: Vec<&str> = (0..index)
                    .filter(|before| (index * 7 + before).is_multiple_of(3))
                    .map(|before| names[before].as_str())
                    .collect();
                node(&names[index], &after)
            })
            .collect();
        let layout = layout(&nodes);
        for (one, a) in layout.nodes.iter().enumerate() {
            for b in layout.nodes.iter().skip(one + 1) {
                let apart = a.0.abs_diff(b.0) >= WIDTH || a.1.abs_diff(b.1) >= HEIGHT;
                assert!(apart, "{a:?} {b:?}");
            }
        }
        assert!(
            layout
                .nodes
                .iter()
                .all(|(x, y)| x + WIDTH <= layout.width && y + HEIGHT <= layout.height)
        );
    }

    #[test]
    fn crossings_are_undone() {
        // Declared so that both edges cross.
        let nodes = [node("a", &[]), node("b", &[]), node("x", &["b"]), node("y", &["a"])];
        let layout = layout(&nodes);
        let is_above = |one: usize, two: usize| layout.nodes[one].1 < layout.nodes[two].1;
        assert_eq!(is_above(0, 1), is_above(3, 2));
    }

    #[test]
    fn circles_and_unknown_names_do_no_harm() {
        let nodes = [node("a", &["b"]), node("b", &["a", "nobody"]), node("c", &["c"])];
        let layout = layout(&nodes);
        assert_eq!(layout.nodes.len(), 3);
        assert_eq!(super::layout(&[]), Layout::default());
    }

    #[test]
    fn names_are_escaped() {
        let hostile = "<script>";
        let page = draw(&[Node { detail: hostile.to_owned(), ..node(hostile, &[]) }], None, "Plan");
        assert!(!page.into_string().contains("<script"));
    }
}
