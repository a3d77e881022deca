"""Apache Flink: its distribution, Beam's job server for it, and a cluster of several processes on this machine."""
