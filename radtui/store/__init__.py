"""Every SQL statement of the project, one file per noun. Functions take a connection and plain values.

One connection per thread (`database.connect`); rows go in and come out as `radtui.records`.

    database.py         opening, the one way to write, reading where nothing can be written; holding.py: a transaction
                        over several writes; place.py and gone.py: whether the file is still the one in its folder,
                        last_home.py: whether it is on the disk that it was on when radtui was left
    schema.py           tables as migrations, their number in schema_version.py: cases_schema.py, cases_migration.py,
                        third_variant.py, text_scores_schema.py; statements.py takes scripts apart, own_objects.py
                        keeps what users made, upgrade.py comes before
    lease.py            one machine at a time on a network file system; file_systems.py: which one that is
    cases.py            data sets and cases; held_out.py: patients nothing is learnt from; listing.py: what there is;
                        choosing.py: which of them a describing job takes where it takes some
    blobs.py            images' bytes; links.py: those that stayed where they were
    incoming.py         cases on their way in; import_keys.py, imported.py: what an import has met and what was there;
                        spill.py: joins that would fill the memory
    arms.py  texts.py   where texts come from, and what they say; asks.py: questions and answers of nobody's study
    studies.py          arms x cases; ratings.py: the append-only history; showings.py: it for export, some hundred
                        pairs at a time; readings.py: what a reader knows; packs.py: the files of a pack;
                        text_scores.py: what packages of scores say
    jobs.py             a row each; metrics.py: points and events; entries.py: what a worker says, as entries;
                        job_snapshot.py: what one job needs; job_removal.py: what hangs on it
    backup.py           a copy of one moment, and what is wrong with it
"""
