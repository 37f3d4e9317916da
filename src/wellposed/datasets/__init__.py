"""Data: readers, the embedded digits, checked downloads, and tables whose density is known."""

from ._cache import cache_dir as cache_dir
from ._catalogue import DATASETS as DATASETS
from ._dataset import Dataset as Dataset
from ._dataset import RemoteFile as RemoteFile
from ._digits import load_digits as load_digits
from ._fetch import fetch as fetch
from ._load import Splits as Splits
from ._load import load as load
from ._read import read as read
from ._read import read_labels as read_labels
from ._source import Source as Source
from ._synthetic import LinearGaussian as LinearGaussian
from ._synthetic import linear_gaussian as linear_gaussian
