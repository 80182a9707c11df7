//! The answers of the protocol as messages.

use crate::proto::infer_parameter::ParameterChoice;
use crate::proto::model_metadata_response::TensorMetadata as TensorMessage;
use crate::proto::repository_index_response::ModelIndex;
use crate::proto::{
    InferBatchStatistics, InferParameter, InferStatistics, ModelMetadataResponse, ModelStatistics as StatisticsMessage,
    ModelStatisticsResponse, ServerMetadataResponse, StatisticDuration,
};
use crate::v2::index::{IndexEntry, State};
use crate::v2::metadata::{ModelMetadata, ModelParameters, ServerMetadata, TensorMetadata};
use crate::v2::statistics::{BatchStatistics, DurationSum, InferenceStatistics, ModelStatistics, StatisticsAnswer};

impl From<ServerMetadata> for ServerMetadataResponse {
    fn from(ServerMetadata { name, version, extensions }: ServerMetadata) -> Self {
        Self { name: name.into(), version: version.into(), extensions: extensions.map(str::to_owned).into() }
    }
}

impl From<ModelMetadata> for ModelMetadataResponse {
    fn from(metadata: ModelMetadata) -> Self {
        let ModelMetadata { name, versions, platform, inputs, outputs, parameters } = metadata;
        let ModelParameters { matrix_input, classes } = parameters;
        let named = [
            ("matrix_input", matrix_input.map(str::to_owned)),
            ("classes", classes.map(|classes| classes.to_string())),
        ];
        let parameter = |(name, text): (&str, Option<String>)| {
            let parameter_choice = Some(ParameterChoice::StringParam(text?));
            Some((name.to_owned(), InferParameter { parameter_choice }))
        };
        Self {
            name,
            versions,
            platform,
            inputs: inputs.into_iter().map(Into::into).collect(),
            outputs: outputs.into_iter().map(Into::into).collect(),
            parameters: named.into_iter().filter_map(parameter).collect(),
        }
    }
}

impl From<TensorMetadata> for TensorMessage {
    fn from(TensorMetadata { name, datatype, shape }: TensorMetadata) -> Self {
        Self { name, datatype: datatype.into(), shape }
    }
}

impl From<StatisticsAnswer> for ModelStatisticsResponse {
    fn from(StatisticsAnswer { model_stats }: StatisticsAnswer) -> Self {
        Self { model_stats: model_stats.into_iter().map(Into::into).collect() }
    }
}

impl From<ModelStatistics> for StatisticsMessage {
    fn from(statistics: ModelStatistics) -> Self {
        Self {
            name: statistics.name,
            version: statistics.version,
            last_inference: statistics.last_inference,
            inference_count: statistics.inference_count,
            execution_count: statistics.execution_count,
            inference_stats: Some(statistics.inference_stats.into()),
            batch_stats: statistics.batch_stats.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<InferenceStatistics> for InferStatistics {
    fn from(statistics: InferenceStatistics) -> Self {
        Self {
            success: Some(statistics.success.into()),
            fail: Some(statistics.fail.into()),
            queue: Some(statistics.queue.into()),
            compute_input: Some(statistics.compute_input.into()),
            compute_infer: Some(statistics.compute_infer.into()),
            compute_output: Some(statistics.compute_output.into()),
            cache_hit: Some(statistics.cache_hit.into()),
            cache_miss: Some(statistics.cache_miss.into()),
        }
    }
}

impl From<BatchStatistics> for InferBatchStatistics {
    fn from(statistics: BatchStatistics) -> Self {
        Self {
            batch_size: statistics.batch_size as u64,
            compute_input: Some(statistics.compute_input.into()),
            compute_infer: Some(statistics.compute_infer.into()),
            compute_output: Some(statistics.compute_output.into()),
        }
    }
}

impl From<DurationSum> for StatisticDuration {
    fn from(DurationSum { count, ns }: DurationSum) -> Self {
        Self { count, ns }
    }
}

impl From<IndexEntry> for ModelIndex {
    fn from(IndexEntry { name, version, state, reason }: IndexEntry) -> Self {
        let state = match state {
            State::Ready => "READY",
            State::Unavailable => "UNAVAILABLE",
        };
        Self { name, version, state: state.into(), reason: reason.into() }
    }
}
