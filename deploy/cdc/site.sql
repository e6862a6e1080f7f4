-- A small site for `docker compose --profile cdc up`: questions and answers in one table, votes in another.
CREATE TABLE post (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    post_type text NOT NULL CHECK (post_type IN ('question', 'answer', 'comment')),
    parent_id bigint REFERENCES post,
    title text,
    text text NOT NULL,
    author_name text,
    added_at timestamptz NOT NULL DEFAULT now(),
    deleted boolean NOT NULL DEFAULT false
);
CREATE TABLE vote (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    post_id bigint NOT NULL REFERENCES post,
    user_id bigint NOT NULL,
    vote smallint NOT NULL CHECK (vote IN (-1, 1)),
    cast_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (post_id, user_id)
);

INSERT INTO post (post_type, title, text, author_name) VALUES
    ('question', 'How do I get ink out of wool?', '<p>A pen leaked in the pocket of a winter coat.</p>', 'Ines'),
    ('question', 'Why does my bread not rise?', '<p>Same flour, same yeast, a colder kitchen.</p>', 'Tomás');
INSERT INTO post (post_type, parent_id, text, author_name) VALUES
    ('answer', 1, '<p>Dab it with alcohol, and rinse it cold.</p>', 'Noor'),
    ('answer', 1, '<p>Take it to a dry cleaner, and say that it is ink.</p>', 'Béla'),
    ('answer', 2, '<p>Give it twice the time: yeast is slow in the cold.</p>', 'Aiko'),
    ('comment', 3, '<p>Try it on a seam first.</p>', 'Ines');
INSERT INTO vote (post_id, user_id, vote) VALUES (3, 101, 1), (3, 102, 1), (4, 101, -1), (5, 103, 1), (1, 104, 1);
