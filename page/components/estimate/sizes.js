async (shown, video, image) => {
  // [height, width] of a file as the browser shows it; null where it cannot.
  const once = (element, loaded, url) =>
    new Promise((done) => {
      const give = (size) => done(size);
      element.addEventListener(loaded, () => give([
        element.videoHeight ?? element.naturalHeight, element.videoWidth ?? element.naturalWidth,
      ]), { once: true });
      element.addEventListener("error", () => give(null), { once: true });
      setTimeout(give, 5000, null);
      element.preload = "metadata";
      element.src = url;
    });
  const sizes = {
    video: video?.url ? await once(document.createElement("video"), "loadedmetadata", video.url) : null,
    image: image?.url ? await once(new Image(), "load", image.url) : null,
  };
  return { ...shown, sizes };
}
