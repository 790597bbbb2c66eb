//! The lanes of the target: which of them take jobs, and whose jobs are which lane's. A target that
//! is one server has one.

use super::link::{Link, Refusals};
use super::steer::{Lists, Sending};
use super::{Boxed, Dispatcher, Task};
use crate::run::backlog;
use crate::run::clock::Clock;
use crate::run::events::Event;
use crate::run::jobs::{Jobs, queues_of};
use crate::run::pacer::Pacer;
use crate::schedule::Schedule;
use crate::sink::{Failure, Queue, Sink};
use futures_util::stream::{FuturesUnordered, StreamExt};

/// What is known of them.
pub(super) struct Lanes {
    /// The lane of each queue that is written to, by its place in the builder.
    of_queues: Vec<usize>,
    /// The lanes of each stream.
    of_streams: Vec<Vec<usize>>,
    links: Vec<Link>,
    /// Resolve when a lane that is held takes commands again.
    holds: FuturesUnordered<Boxed<(usize, Result<(), Failure>)>>,
    /// Jobs that each may be given now.
    rooms: Vec<u64>,
    pub(super) refusals: Refusals,
    /// Lanes whose loss has not been told of, and how it showed.
    newly_lost: Vec<(usize, Failure)>,
    outages: Vec<Outage>,
}

/// A server that is missed.
struct Outage {
    since_ns: u64,
    lanes: Vec<usize>,
    queues: Vec<String>,
}

/// The lanes of a stream's jobs, and which of them are open.
pub(super) struct OfStream<'a, J> {
    jobs: &'a J,
    own: &'a Sending,
    lists: &'a Lists,
    schedule: &'a dyn Schedule,
    lanes: &'a Lanes,
    only: Option<usize>,
    all_open: bool,
}

impl<'a, J: Jobs> OfStream<'a, J> {
    pub(super) fn new(
        task: &'a Task<J>,
        lists: &'a Lists,
        old_jobs: &'a [(J, Lists)],
        own: &'a Sending,
        pacer: &'a Pacer,
        lanes: &'a Lanes,
        stream: usize,
    ) -> OfStream<'a, J> {
        let (jobs, lists) = match own.old {
            None => (&task.jobs, lists),
            Some(old) => (&old_jobs[old].0, &old_jobs[old].1),
        };
        let only = lanes.only(stream);
        let schedule = pacer.schedule(stream);
        OfStream { jobs, own, lists, schedule, lanes, only, all_open: false }
    }

    /// As if every lane were open.
    pub(super) fn all_open(self) -> OfStream<'a, J> {
        OfStream { all_open: true, ..self }
    }

    /// The lane of a job.
    pub(super) fn of(&self, index: u64) -> usize {
        self.only.unwrap_or_else(|| {
            let choice = self.jobs.choose(self.own.stream, self.schedule.number_of(index));
            self.lanes.of_queues[self.lists.builder[choice.queue]]
        })
    }
}

impl<J: Jobs> backlog::Lanes for OfStream<'_, J> {
    fn lane_of(&self, index: u64) -> usize {
        self.of(index)
    }

    fn is_open(&self, lane: usize) -> bool {
        self.all_open || self.lanes.rooms[lane] > 0
    }

    fn are_all_open(&self) -> bool {
        self.all_open || self.only.is_some_and(|only| self.lanes.rooms[only] > 0)
    }
}

impl Lanes {
    /// Those of the queues that are written to, by their places in the builder.
    pub(super) fn new(of_queues: Vec<usize>) -> Lanes {
        let mut lanes = Lanes {
            of_queues,
            of_streams: Vec::new(),
            links: Vec::new(),
            holds: FuturesUnordered::new(),
            rooms: Vec::new(),
            refusals: Refusals::default(),
            newly_lost: Vec::new(),
            outages: Vec::new(),
        };
        lanes.grow();
        lanes
    }

    fn grow(&mut self) {
        let lanes = self.of_queues.iter().map(|lane| lane + 1).max().unwrap_or(1);
        while self.links.len() < lanes {
            self.links.push(Link::default());
            self.rooms.push(0);
        }
    }

    /// Takes in a queue, which is the next in the builder.
    pub(super) fn add_queue(&mut self, lane: usize) {
        self.of_queues.push(lane);
        self.grow();
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.links.len()
    }

    /// The lane of a queue, by its place in the builder.
    pub(super) fn of_queue(&self, place: usize) -> usize {
        self.of_queues[place]
    }

    pub(super) fn of_stream(&self, stream: usize) -> &[usize] {
        self.of_streams.get(stream).map_or(&[], Vec::as_slice)
    }

    /// The lane of a stream that writes to one alone.
    fn only(&self, stream: usize) -> Option<usize> {
        match self.of_stream(stream) {
            [] => Some(0),
            [lane] => Some(*lane),
            _ => None,
        }
    }

    pub(super) fn link(&self, lane: usize) -> &Link {
        &self.links[lane]
    }

    pub(super) fn link_mut(&mut self, lane: usize) -> &mut Link {
        &mut self.links[lane]
    }

    /// Whether a lane's break is known of and not mended.
    pub(super) fn is_lost(&self, lane: usize) -> bool {
        self.links.get(lane).is_some_and(Link::is_lost)
    }

    pub(super) fn is_any_lost(&self) -> bool {
        self.links.iter().any(Link::is_lost)
    }

    pub(super) fn room(&self, lane: usize) -> u64 {
        self.rooms[lane]
    }

    pub(super) fn has_room(&self) -> bool {
        self.rooms.iter().any(|room| *room > 0)
    }

    pub(super) fn set_room(&mut self, lane: usize, room: u64) {
        self.rooms[lane] = room;
    }

    /// Notes that a job is to go over a lane.
    pub(super) fn fill(&mut self, lane: usize) {
        self.rooms[lane] = self.rooms[lane].saturating_sub(1);
    }

    /// Lets nothing go over a lane until it is ready.
    pub(super) fn hold(&mut self, lane: usize, ready: Boxed<Result<(), Failure>>) {
        self.links[lane].is_held = true;
        self.holds.push(Box::pin(async move { (lane, ready.await) }));
    }

    pub(super) fn is_held(&self) -> bool {
        !self.holds.is_empty()
    }

    /// Resolves when a lane that is held takes commands again; never without one.
    pub(super) async fn ready(&mut self) -> (usize, Result<(), Failure>) {
        match self.holds.next().await {
            Some((lane, ready)) => {
                self.links[lane].is_held = false;
                (lane, ready)
            }
            None => std::future::pending().await,
        }
    }

    /// The next instant at which a lane is tried again.
    pub(super) fn next_retry_ns(&self, now_ns: u64) -> Option<u64> {
        let retries = self.links.iter().filter_map(|link| link.retry_at_ns());
        retries.filter(|retry_ns| *retry_ns > now_ns).min()
    }

    /// Notes that a lane is lost, to be told of with the others that show it at the same time.
    pub(super) fn lose(&mut self, lane: usize, failure: &Failure, now_ns: u64) {
        if self.links[lane].lose(now_ns) {
            self.newly_lost.push((lane, failure.clone()));
        }
    }
}

impl<J: Jobs, S: Sink, C: Clock + 'static> Dispatcher<J, S, C> {
    /// Finds out anew which stream writes to which lanes.
    pub(super) fn map_lanes(&mut self) {
        let of_stream = |stream: usize| {
            let own = &self.sending[stream];
            let (jobs, lists) = match own.old {
                None => (&self.task.jobs, &self.lists),
                Some(old) => (&self.old_jobs[old].0, &self.old_jobs[old].1),
            };
            let queues = queues_of(jobs, own.stream).into_iter();
            let mut lanes: Vec<usize> =
                queues.map(|queue| self.lanes.of_queue(lists.builder[queue])).collect();
            lanes.sort_unstable();
            lanes.dedup();
            lanes
        };
        let of_streams = self.streams().map(of_stream).collect();
        self.lanes.of_streams = of_streams;
    }

    pub(super) fn lanes_of_stream(&self, stream: usize) -> OfStream<'_, J> {
        let own = &self.sending[stream];
        OfStream::new(
            &self.task,
            &self.lists,
            &self.old_jobs,
            own,
            &self.pacer,
            &self.lanes,
            stream,
        )
    }

    /// Counts the jobs that each lane may be given now: none if it is held. Where there are several,
    /// none may have more in flight than there is room left for all, so that the others have room
    /// however long one of them does not answer ("dynamic threshold": A. K. Choudhury and
    /// E. L. Hahne, IEEE/ACM Transactions on Networking 6(2), 1998).
    pub(super) fn look_at_rooms(&mut self, now_ns: u64) {
        let whole = self.flight_room();
        let bytes_left = self.options.max_in_flight_bytes.saturating_sub(self.flights.bytes());
        for lane in 0..self.lanes.count() {
            let own = self.flights.in_lane(lane);
            let room = if !self.lanes.link(lane).is_open(now_ns, own.batches > 0) {
                0
            } else if self.lanes.count() == 1 {
                whole
            } else if own.bytes > bytes_left {
                0
            } else {
                whole.saturating_sub(own.jobs).div_ceil(2)
            };
            self.lanes.set_room(lane, room);
        }
    }

    /// Overdue jobs of a stream that no lane holds up, as far as it is known whose they are.
    pub(super) fn reachable(&self, stream: usize) -> u64 {
        self.overdue_where(stream, |lane| self.lanes.room(lane) > 0)
    }

    /// Overdue jobs of a stream whose servers are not missed, as far as it is known whose they are.
    pub(super) fn not_lost(&self, stream: usize) -> u64 {
        self.overdue_where(stream, |lane| !self.lanes.is_lost(lane))
    }

    fn overdue_where(&self, stream: usize, is_open: impl Fn(usize) -> bool) -> u64 {
        let lanes = self.lanes.of_stream(stream);
        match lanes {
            [] => self.overdue(stream),
            _ if !lanes.iter().any(|lane| is_open(*lane)) => 0,
            [_] => self.overdue(stream),
            _ => self.overdue(stream) - self.held(stream, is_open),
        }
    }

    /// Overdue jobs of a stream that are known to be of lanes which are not open.
    pub(super) fn held(&self, stream: usize, is_open: impl Fn(usize) -> bool) -> u64 {
        self.backlog.held(stream, is_open)
    }

    /// Tells of the servers that are missed since the last look.
    pub(super) fn tell_lost(&mut self, now_ns: u64) {
        let lost = std::mem::take(&mut self.lanes.newly_lost);
        let mut by_server: Vec<(Option<String>, Failure, Vec<usize>)> = Vec::new();
        for (lane, failure) in lost {
            let server = self.sink.lane_server(lane);
            match by_server.iter_mut().find(|(known, ..)| *known == server) {
                Some((_, _, lanes)) => lanes.push(lane),
                None => by_server.push((server, failure, vec![lane])),
            }
        }
        for (server, failure, lanes) in by_server {
            let queues = self.queues_in(&lanes);
            let since_ns = lanes.iter().filter_map(|lane| self.lanes.link(*lane).lost_since_ns());
            let since_ns = since_ns.min().unwrap_or(now_ns);
            let outage = Outage { since_ns, lanes, queues: queues.clone() };
            self.lanes.outages.push(outage);
            let message = failure.message;
            self.tell(Event::ConnectionLost { message, server, queues });
        }
    }

    /// The names of the queues of some lanes; none where there is one lane, which has them all.
    fn queues_in(&self, lanes: &[usize]) -> Vec<String> {
        if self.lanes.count() == 1 {
            return Vec::new();
        }
        let queues = self.lanes.of_queues.iter().enumerate();
        let own = queues.filter(|(_, lane)| lanes.contains(lane));
        let mut names: Vec<String> =
            own.filter_map(|(place, _)| Some(self.builder.queue(place)?.name.clone())).collect();
        names.dedup();
        names
    }

    /// A lane is there again: tells so if it was the last of those that were missed with it.
    pub(super) fn lane_is_back(&mut self, lane: usize, now_ns: u64) {
        self.tell_lost(now_ns);
        self.lanes.link_mut(lane).is_back();
        for stream in self.streams() {
            let lanes = self.lanes.of_stream(stream);
            if lanes.len() > 1 && lanes.contains(&lane) {
                self.lates.begin_anew(stream);
            }
        }
        let Some(place) = self.lanes.outages.iter().position(|outage| outage.lanes.contains(&lane))
        else {
            return;
        };
        self.lanes.outages[place].lanes.retain(|other| *other != lane);
        if self.lanes.outages[place].lanes.is_empty() {
            let Outage { since_ns, queues, .. } = self.lanes.outages.remove(place);
            let after_s = now_ns.saturating_sub(since_ns) as f64 / 1e9;
            let server = self.sink.lane_server(lane);
            self.tell(Event::Reconnected { after_s, server, queues });
        }
    }

    /// The lane of a queue that is asked for its depth.
    pub(super) fn lane_of_queue(&self, queue: &Queue) -> usize {
        self.sink.lanes_of(std::slice::from_ref(queue)).first().copied().unwrap_or(0)
    }
}
