"""The protocol message classes of the namespace."""

from __future__ import annotations

from tensorboard.compat.proto import (
    attr_value_pb2,
    cluster_pb2,
    config_pb2,
    graph_pb2,
    meta_graph_pb2,
    node_def_pb2,
)

from relight.formats import protos
from relight.graph.export import export

AttrValue = export("AttrValue")(attr_value_pb2.AttrValue)
NameAttrList = export("NameAttrList")(attr_value_pb2.NameAttrList)
ConfigProto = export("ConfigProto")(config_pb2.ConfigProto)
GPUOptions = export("GPUOptions")(config_pb2.GPUOptions)
GraphOptions = export("GraphOptions")(config_pb2.GraphOptions)
OptimizerOptions = export("OptimizerOptions")(config_pb2.OptimizerOptions)
RunMetadata = export("RunMetadata")(config_pb2.RunMetadata)
RunOptions = export("RunOptions")(config_pb2.RunOptions)
GraphDef = export("GraphDef")(graph_pb2.GraphDef)
MetaGraphDef = export("MetaGraphDef")(meta_graph_pb2.MetaGraphDef)
TensorInfo = export("TensorInfo")(meta_graph_pb2.TensorInfo)
NodeDef = export("NodeDef")(node_def_pb2.NodeDef)

BytesList = export("train.BytesList")(protos.BytesList)
FloatList = export("train.FloatList")(protos.FloatList)
Int64List = export("train.Int64List")(protos.Int64List)
Feature = export("train.Feature")(protos.Feature)
Features = export("train.Features")(protos.Features)
FeatureList = export("train.FeatureList")(protos.FeatureList)
FeatureLists = export("train.FeatureLists")(protos.FeatureLists)
Example = export("train.Example")(protos.Example)
SequenceExample = export("train.SequenceExample")(protos.SequenceExample)
ClusterDef = export("train.ClusterDef")(cluster_pb2.ClusterDef)
JobDef = export("train.JobDef")(cluster_pb2.JobDef)
ServerDef = export("train.ServerDef")(protos.ServerDef)
