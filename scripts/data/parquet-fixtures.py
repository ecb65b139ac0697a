"""Writes tests/data/fixtures/*.parquet: one small table in every compression. Needs pyarrow.

    python3 scripts/data/parquet-fixtures.py
"""

import pyarrow as pa
import pyarrow.parquet as pq

ROWS = 60


def main():
    rows = range(ROWS)
    table = pa.table(
        {
            "count": pa.array([i % 7 for i in rows], pa.int32()),
            "total": pa.array([i * 10**9 for i in rows], pa.int64()),
            "half": pa.array([i / 2 for i in rows], pa.float32()),
            "third": pa.array([None if i % 10 == 3 else i / 3 for i in rows], pa.float64()),
            "label": pa.array([None if i == 5 else f"tier {i % 3}" for i in rows]),
            "nested": pa.array([[i] for i in rows]),
        }
    )
    for codec in ["none", "snappy", "gzip", "brotli", "zstd", "lz4"]:
        path = f"tests/data/fixtures/{codec}.parquet"
        pq.write_table(table, path, compression=codec, row_group_size=40)
    path = "tests/data/fixtures/zstd-pages-v2.parquet"
    pq.write_table(table, path, compression="zstd", data_page_version="2.0", use_dictionary=["count"])


main()
