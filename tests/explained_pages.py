"""Golden pages of `cleartitle explain`, of the documents of `test_lineage_explanations`."""

KEPT = """\
decision
  Kept: its text is in `documents/`.

origin
  doc_id 00000000000000000000000000000001, row 0 of ledger part 0.
  File `crawl.jsonl`, position 100 (JSON Lines: byte of the unpacked text; Parquet: row from 0).
  url `https://host1.example/`
  record_id `r1`
  Text: 100 bytes of UTF-8, text_digest 00000000000000000000000000000001.

marks
  `copyright_notice` only flags it. There is a copyright notice.
    - matched `© Doe` in the text, bytes 0 to 6

rights
  Basis `crawl`: no contract and no licence is named.
  Reservations: the input holds neither HTTP header nor HTML that could say any.

witness
  None: it repeats no document that survives.

cluster
  Cluster 00000000000000000000000000000000 of 5 documents: drop 4, keep 1.
    - 00000000000000000000000000000001 (https://host1.example/), keep
    - 00000000000000000000000000000002 (https://host2.example/), drop
    - 00000000000000000000000000000003 (https://host3.example/), drop
    - 00000000000000000000000000000004 (https://host4.example/), drop
    - 00000000000000000000000000000005 (https://host5.example/), drop

witness for
  It is the witness for 4: near 3, url 1.
    - 00000000000000000000000000000002 (https://host2.example/), near 0.75, drop
    - 00000000000000000000000000000003 (https://host3.example/), near 0.8333, drop
    - 00000000000000000000000000000004 (https://host4.example/), near 0.83, drop
    - 00000000000000000000000000000005 (https://host5.example/), url, drop

decided by
  Build 0123456789abcdef of the crawl `demo`, finished 2026-11-22T13:55:01+00:00.
  Config digest c0ffee, by cleartitle 0.1.0.
  Survivor policy: source_priority, longest, earliest.
  Near duplicates: from 0.7 on by jaccard, candidates by 25 bands of 5 rows of 5-grams.

another decision
  To be taken out by `copyright_notice`: `policy.signals.copyright_notice` set to `drop` or
    `quarantine`.
  For what it says and has no mark for, `policy.signals.unlicensed` set to `drop` or `quarantine`
    would take it out.
  A `dedup.survivor` order that puts a document that repeats it first would take it out in its
    place.
  Those that are near have similarities from 0.75 to 0.8333; `dedup.near.threshold` is 0.7.
"""

NEAR = """\
decision
  Dropped: its text is not in the dataset.
  Reason `near_duplicate`: The similarity to a surviving document reaches `dedup.near.threshold`.

origin
  doc_id 00000000000000000000000000000003, row 2 of ledger part 0.
  File `crawl.jsonl`, position 300 (JSON Lines: byte of the unpacked text; Parquet: row from 0).
  url `https://host3.example/`
  record_id `r3`
  Text: 90 bytes of UTF-8, text_digest 00000000000000000000000000000003.

marks
  `near_duplicate` drops it. The similarity to a surviving document reaches `dedup.near.threshold`.
    - points to 00000000000000000000000000000001 (https://host1.example/); true Jaccard similarity
      0.8333, the limit is 0.7

rights
  Basis `crawl`: no contract and no licence is named.
  Reservations: the input holds neither HTTP header nor HTML that could say any.

witness
  It repeats 00000000000000000000000000000001 (https://host1.example/): true Jaccard similarity
    0.8333.
  That document survives: it is kept in this dataset.
  It lost by `longest`: 90 bytes of text against 100 bytes of text.

cluster
  Cluster 00000000000000000000000000000000 of 5 documents: drop 4, keep 1.
    - 00000000000000000000000000000001 (https://host1.example/), keep
    - 00000000000000000000000000000002 (https://host2.example/), drop
    - 00000000000000000000000000000003 (https://host3.example/), drop
    - 00000000000000000000000000000004 (https://host4.example/), drop
    - 00000000000000000000000000000005 (https://host5.example/), drop

witness for
  No document names it as the one that it repeats.

decided by
  Build 0123456789abcdef of the crawl `demo`, finished 2026-11-22T13:55:01+00:00.
  Config digest c0ffee, by cleartitle 0.1.0.
  Survivor policy: source_priority, longest, earliest.
  Near duplicates: from 0.7 on by jaccard, candidates by 25 bands of 5 rows of 5-grams.

another decision
  To lift `near_duplicate`, one of:
    - `dedup.near.threshold` above 0.8334, as its similarity is 0.8333
    - `dedup.near` set to null
    - its witness 00000000000000000000000000000001 gone from the crawl, or taken out itself
    - a `dedup.survivor` order that puts it before its witness
    - `dedup.survivor` set to `flag`, which drops no duplicate
  With that lifted, and all else as it is, it would be kept.
  It stays out if it then repeats another surviving document of its cluster.
"""

BLOCKED = """\
decision
  Dropped: its text is not in the dataset.
  Reason `blocklist`: The URL stands on a blocklist: its host, a parent domain of it, a prefix, or a
    pattern.

origin
  doc_id 00000000000000000000000000000004, row 3 of ledger part 0.
  WARC file `a.warc.gz`, offset 4,000, length 1,234.
  url `https://host4.example/`
  fetch_time 2026-01-02T03:04:05+00:00
  content_digest `SHA1DIGEST`
  record_id `r4`
  warc_record_id `urn:uuid:4`
  Text: 100 bytes of UTF-8, text_digest 00000000000000000000000000000004.

marks
  `blocklist` drops it. The URL stands on a blocklist: its host, a parent domain of it, a prefix, or
    a pattern.
    - list `shadow`, line 12, category `piracy`; matched `example`; SHA-256 of the list 00ff
  `copyright_notice` only flags it. There is a copyright notice.
    - matched `© 2019 Doe` in the text, bytes 0 to 11
  `unlicensed` quarantines it. The sources register gives no basis but `crawl`, and the page
    declares no licence of `policy.open_licences`.
  `near_duplicate` drops it. The similarity to a surviving document reaches `dedup.near.threshold`.
    - points to 00000000000000000000000000000001 (https://host1.example/); true Jaccard similarity
      0.83, the limit is 0.7

rights
  Basis `crawl`: no contract and no licence is named.
  Copyright notice: `© 2019 Doe` in the text, bytes 0 to 11 (years: 2019; holder: `Doe`).

witness
  It repeats 00000000000000000000000000000001 (https://host1.example/): true Jaccard similarity
    0.83.
  That document survives: it is kept in this dataset.
  It came after every document that may stay, since `blocklist` and `unlicensed` took it out: it
    could not be the one to stay.

cluster
  Cluster 00000000000000000000000000000000 of 5 documents: drop 4, keep 1.
    - 00000000000000000000000000000001 (https://host1.example/), keep
    - 00000000000000000000000000000002 (https://host2.example/), drop
    - 00000000000000000000000000000003 (https://host3.example/), drop
    - 00000000000000000000000000000004 (https://host4.example/), drop
    - 00000000000000000000000000000005 (https://host5.example/), drop

witness for
  No document names it as the one that it repeats.

decided by
  Build 0123456789abcdef of the crawl `demo`, finished 2026-11-22T13:55:01+00:00.
  Config digest c0ffee, by cleartitle 0.1.0.
  Survivor policy: source_priority, longest, earliest.
  Near duplicates: from 0.7 on by jaccard, candidates by 25 bands of 5 rows of 5-grams.

another decision
  All of these must be lifted together:
  To lift `blocklist`, one of:
    - the entry `example` taken off line 12 of list `shadow`
    - `host4.example` put on `sources.allow`
    - `policy.categories.piracy` set to `flag`
  To lift `unlicensed`, one of:
    - a basis other than `crawl` for its source in `sources.register`
    - an open licence that the page declares
    - `policy.signals.unlicensed` set to `flag`
  To lift `near_duplicate`, one of:
    - `dedup.near.threshold` above 0.83, as its similarity is 0.83
    - `dedup.near` set to null
    - its witness 00000000000000000000000000000001 gone from the crawl, or taken out itself
    - a `dedup.survivor` order that puts it before its witness
    - `dedup.survivor` set to `flag`, which drops no duplicate
  With what drops it lifted it would be quarantined, by `unlicensed`.
  With all of that lifted, and all else as it is, it would be kept, with 1 mark that only flags it.
  It stays out if it then repeats another surviving document of its cluster.
"""

EARLIER = """\
decision
  Dropped: its text is not in the dataset.
  Reason `near_duplicate`: The similarity to a surviving document reaches `dedup.near.threshold`.

origin
  doc_id 00000000000000000000000000000006, row 5 of ledger part 0.
  File `crawl.jsonl`, position 600 (JSON Lines: byte of the unpacked text; Parquet: row from 0).
  url `https://host6.example/`
  record_id `r6`
  Text: 90 bytes of UTF-8, text_digest 00000000000000000000000000000006.

marks
  `near_duplicate` drops it. The similarity to a surviving document reaches `dedup.near.threshold`.
    - points to 00000000000000000000000000000009 of the earlier build `fedcba9876543210`; true
      Jaccard similarity 0.9, the limit is 0.7

rights
  Basis `crawl`: no contract and no licence is named.
  Reservations: the input holds neither HTTP header nor HTML that could say any.

witness
  It repeats 00000000000000000000000000000009 of the earlier build `fedcba9876543210`: true Jaccard
    similarity 0.9.
  That document is in the dataset `/store/fedcba9876543210`, which `dedup.against` names:
    `cleartitle lookup` there with `--doc-id 00000000000000000000000000000009` answers.
  Documents of earlier stores come before all of this crawl (`dedup.overlap` is `old_stays`).

cluster
  Cluster 00000000000000000000000000000006 of 2 documents: drop 1, and 1 of earlier stores.
    - 00000000000000000000000000000006 (https://host6.example/), drop

witness for
  No document names it as the one that it repeats.

decided by
  Build 0123456789abcdef of the crawl `demo`, finished 2026-11-22T13:55:01+00:00.
  Config digest c0ffee, by cleartitle 0.1.0.
  Survivor policy: source_priority, longest, earliest.
  Near duplicates: from 0.7 on by jaccard, candidates by 25 bands of 5 rows of 5-grams.

another decision
  To lift `near_duplicate`, one of:
    - `dedup.near.threshold` above 0.9, as its similarity is 0.9
    - `dedup.near` set to null
    - the store of build `fedcba9876543210` taken out of `dedup.against`
    - `dedup.overlap` set to `report` or `new_replaces`
    - `dedup.survivor` set to `flag`, which drops no duplicate
  With that lifted, and all else as it is, it would be kept.
  It stays out if it then repeats another surviving document of its cluster.
"""

TAKEN = """\
decision
  Dropped: its text is not in the dataset.
  Reason `takedown`: It, or what it repeats, was asked to be taken out.
  Takedown 00112233445566ff, reference `DMCA-2026-114`, scope `near_duplicates`.
  Asked for by Jane Doe, Doe Books Ltd on 2026-11-02.

origin
  doc_id 00000000000000000000000000000007, row 6 of ledger part 0.
  File `crawl.jsonl`, position 700 (JSON Lines: byte of the unpacked text; Parquet: row from 0).
  url `https://host7.example/`
  record_id `r7`
  Text: 100 bytes of UTF-8, text_digest 00000000000000000000000000000007.

marks
  `takedown` drops it. It, or what it repeats, was asked to be taken out.
    - takedown `00112233445566ff`, selected by `domains`; matched `host7.example`; SHA-256 of the
      request 00

rights
  Basis `crawl`: no contract and no licence is named.
  Reservations: the input holds neither HTTP header nor HTML that could say any.

witness
  None: it repeats no document that survives.

cluster
  None: it was a candidate for no other document.

witness for
  It is the witness for 1: exact 1.
    - 00000000000000000000000000000009 (https://host9.example/), exact 1, drop

decided by
  Build 0123456789abcdef of the crawl `demo`, finished 2026-11-22T13:55:01+00:00.
  Config digest c0ffee, by cleartitle 0.1.0.
  Survivor policy: source_priority, longest, earliest.
  Near duplicates: from 0.7 on by jaccard, candidates by 25 bands of 5 rows of 5-grams.

another decision
  To lift `takedown`: nothing but the withdrawal of request `00112233445566ff`, and a build whose
    `takedowns` do not name it.
  With that lifted, and all else as it is, it would be kept.
  It stays out if it then repeats another document that survives, or one that comes back with it.
"""
