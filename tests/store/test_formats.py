import pytest

from stagewise.errors import StagewiseError
from stagewise.store.formats import read_csv


@pytest.mark.parametrize("content", [b"name,value\na,1\nb,2", b"\xff\xfe\n", None])
def test_a_csv_table_that_is_cut_or_missing_is_a_sentence_with_its_path(tmp_path, content):
    path = tmp_path / "table.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(StagewiseError, match=rf"{path} cannot be read as CSV \(.*Delete it"):
        read_csv(path)


def test_a_whole_csv_table_is_read(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("name,value\na,1\n", encoding="utf-8")
    assert read_csv(path).to_dict("records") == [{"name": "a", "value": 1}]
