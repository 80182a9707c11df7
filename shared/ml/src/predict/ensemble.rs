//! Compiled ensembles: one compiled model per member, whose outputs are added with its weight.

use super::engine::{Engine, Scratch};
use crate::model::ensemble::{add_weighted, encode_member, width};
use crate::model::{Ensemble, FeatureEncoding, Task};

/// A compiled [`Ensemble`].
#[derive(Debug)]
pub(crate) struct CompiledEnsemble {
    members: Vec<CompiledMember>,
    /// Number of raw values of a row of the signature.
    width: usize,
}

/// A compiled member.
#[derive(Debug)]
pub(super) struct CompiledMember {
    pub(super) weight: f64,
    pub(super) encodings: Vec<FeatureEncoding>,
    /// Number of raw values of the member.
    pub(super) width: usize,
    pub(super) engine: Engine,
}

/// The rows of a member, and its outputs.
#[derive(Debug, Default)]
pub(super) struct MemberRows {
    raw: Vec<f32>,
    unseen: Vec<bool>,
    outputs: Vec<f64>,
}

impl CompiledEnsemble {
    /// Compiles a valid ensemble for raw rows of `width` numbers.
    pub(super) fn new(ensemble: &Ensemble, signature_width: usize) -> Self {
        let members = ensemble.members.iter().map(|member| {
            let width = width(&member.encodings);
            let engine = Engine::compile(&member.estimator, width);
            CompiledMember { weight: member.weight, encodings: member.encodings.clone(), width, engine }
        });
        Self { members: members.collect(), width: signature_width }
    }

    pub(super) fn members(&self) -> &[CompiledMember] {
        &self.members
    }

    /// The compiled models of all members.
    pub(super) fn engines(&self) -> impl Iterator<Item = &Engine> {
        self.members.iter().map(|member| &member.engine)
    }

    pub(super) fn memory_bytes(&self) -> usize {
        let encoding = |encoding: &FeatureEncoding| {
            size_of::<FeatureEncoding>()
                + match encoding {
                    FeatureEncoding::Select(positions) => positions.len() * size_of::<u32>(),
                    FeatureEncoding::Orders { orders, .. } => {
                        orders.iter().map(|order| order.ranks.len() * size_of::<Option<u32>>()).sum()
                    }
                    FeatureEncoding::Statistics { statistics, .. } => {
                        statistics.iter().map(|statistic| statistic.values.len() * size_of::<f64>()).sum()
                    }
                }
        };
        let member = |member: &CompiledMember| {
            member.engine.memory_bytes() + member.encodings.iter().map(encoding).sum::<usize>()
        };
        self.members.iter().map(member).sum()
    }

    /// Writes the output vectors of consecutive raw rows to `outputs`. The order of the members is the same for every row,
    /// so a prediction does not depend on the other rows.
    pub(super) fn predict(
        &self,
        task: &Task,
        (raw, unseen): (&[f32], &[bool]),
        rows: &mut MemberRows,
        scratch: &mut Scratch,
        outputs: &mut [f64],
    ) {
        outputs.fill(0.0);
        let count = raw.len() / self.width;
        for member in &self.members {
            rows.encode(member, self.width, (raw, unseen), count);
            rows.outputs.resize(outputs.len(), 0.0);
            let own = (&rows.raw[..], &rows.unseen[..]);
            member.engine.predict(task, member.width, own, scratch, &mut rows.outputs);
            add_weighted(outputs, &rows.outputs, member.weight);
        }
    }
}

impl MemberRows {
    /// Encodes rows of the signature for a member.
    fn encode(&mut self, member: &CompiledMember, width: usize, (raw, unseen): (&[f32], &[bool]), count: usize) {
        self.raw.resize(count * member.width, f32::NAN);
        self.unseen.resize(count * member.width, false);
        let own = self.raw.chunks_exact_mut(member.width).zip(self.unseen.chunks_exact_mut(member.width));
        let rows = raw.chunks_exact(width).zip(unseen.chunks_exact(width));
        for ((own_raw, own_unseen), (raw, unseen)) in own.zip(rows) {
            encode_member(&member.encodings, raw, unseen, own_raw, own_unseen);
        }
    }
}
