// Summaries of the pages found are fetched, which a browser refuses to pages opened from disk: there they are left out.
if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
