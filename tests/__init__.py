"""Tests mirror the apps; flows/ tells stories, shape/ guards structure, bench/ measures."""
